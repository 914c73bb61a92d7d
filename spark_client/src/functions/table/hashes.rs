//! Hashes and encryption.

functions! {
    "1.5.0" "The CRC-32 checksum of bytes."
    crc32(column: col);
    "2.0.0" "A 32-bit Murmur3 hash of the columns."
    hash(columns: cols);
    "1.5.0" "The MD5 digest as hexadecimal text."
    md5(column: col);
    "3.5.0" "The SHA-1 digest as hexadecimal text."
    sha(column: col);
    "1.5.0" "The SHA-1 digest as hexadecimal text."
    sha1(column: col);
    "1.5.0" "The SHA-2 digest of 224, 256, 384 or 512 bits (0 is 256) as hexadecimal text."
    sha2(column: col, bits: int);
    "3.0.0" "A 64-bit xxHash of the columns."
    xxhash64(columns: cols);
    "3.5.0" "Decrypts AES with a key of 16, 24 or 32 bytes, a mode (`GCM`), a padding (`DEFAULT`) and additional data."
    aes_decrypt(input: col, key: col), aes_decrypt_with(mode: col = "GCM", padding: col = "DEFAULT", aad: col = "");
    "3.5.0" "Encrypts with AES, a key of 16, 24 or 32 bytes, a mode (`GCM`), a padding (`DEFAULT`), an initialization vector and additional data."
    aes_encrypt(input: col, key: col), aes_encrypt_with(mode: col = "GCM", padding: col = "DEFAULT", iv: col = "", aad: col = "");
    "3.5.0" "[`aes_decrypt`] that gives NULL where it fails."
    try_aes_decrypt(input: col, key: col), try_aes_decrypt_with(mode: col = "GCM", padding: col = "DEFAULT", aad: col = "");
}
