//! SCRAM, RFC 5802, over SHA-256 or SHA-512, as a client without channel binding.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256, Sha512};

/// What a broker may ask for at most: more would only keep us busy.
const MAX_ITERATIONS: u32 = 1_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha512,
}

impl Hash {
    fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    fn hmac(self, key: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
        fn of<M: Mac + KeyInit>(key: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
            let keyed = <M as Mac>::new_from_slice(key).ok()?;
            Some(keyed.chain_update(bytes).finalize().into_bytes().to_vec())
        }
        match self {
            Self::Sha256 => of::<Hmac<Sha256>>(key, bytes),
            Self::Sha512 => of::<Hmac<Sha512>>(key, bytes),
        }
    }

    /// PBKDF2 with one block.
    fn salted(self, password: &[u8], salt: &[u8], iterations: u32) -> Option<Vec<u8>> {
        let mut block = self.hmac(password, &[salt, &1_u32.to_be_bytes()].concat())?;
        let mut sum = block.clone();
        for _ in 1..iterations {
            block = self.hmac(password, &block)?;
            sum.iter_mut().zip(&block).for_each(|(sum, byte)| *sum ^= byte);
        }
        Some(sum)
    }
}

/// A login in progress.
pub(crate) struct Scram {
    hash: Hash,
    password: Vec<u8>,
    nonce: String,
    first_bare: String,
}

/// The last message to send, and what the server has to prove in its answer.
pub(crate) struct Last {
    pub(crate) message: String,
    server_signature: Vec<u8>,
}

impl Scram {
    /// `nonce` must never have been used before.
    pub(crate) fn new(hash: Hash, user: &str, password: &str, nonce: String) -> Self {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let first_bare = format!("n={user},r={nonce}");
        Self { hash, password: password.as_bytes().to_vec(), nonce, first_bare }
    }

    pub(crate) fn first(&self) -> String {
        format!("n,,{}", self.first_bare)
    }

    /// Answers the server's first message; none when that isn't one.
    pub(crate) fn last(&self, server_first: &str) -> Option<Last> {
        let attribute = |name: &str| server_first.split(',').find_map(|part| part.strip_prefix(name));
        let (nonce, salt) = (attribute("r=")?, STANDARD.decode(attribute("s=")?).ok()?);
        let iterations: u32 = attribute("i=")?.parse().ok()?;
        if !nonce.starts_with(&self.nonce) || !(1..=MAX_ITERATIONS).contains(&iterations) {
            return None;
        }
        let salted = self.hash.salted(&self.password, &salt, iterations)?;
        let client_key = self.hash.hmac(&salted, b"Client Key")?;
        let without_proof = format!("c=biws,r={nonce}");
        let signed = format!("{},{server_first},{without_proof}", self.first_bare);
        let signature = self.hash.hmac(&self.hash.digest(&client_key), signed.as_bytes())?;
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(key, byte)| key ^ byte).collect();
        let server_signature = self.hash.hmac(&self.hash.hmac(&salted, b"Server Key")?, signed.as_bytes())?;
        Some(Last { message: format!("{without_proof},p={}", STANDARD.encode(proof)), server_signature })
    }
}

impl Last {
    /// Whether the server knows the password too.
    pub(crate) fn is_proven_by(&self, server_last: &str) -> bool {
        let proof = server_last.split(',').find_map(|part| part.strip_prefix("v="));
        proof
            .and_then(|proof| STANDARD.decode(proof).ok())
            .is_some_and(|proof| proof == self.server_signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677.
    #[test]
    fn the_example_of_the_standard() {
        let scram = Scram::new(Hash::Sha256, "user", "pencil", "rOprNGfwEbeRWgbNEkqO".into());
        assert_eq!(scram.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let server_first =
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let last = scram.last(server_first).unwrap();
        assert_eq!(
            last.message,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert!(last.is_proven_by("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        assert!(!last.is_proven_by("v=AAAA"));
        assert!(scram.last("r=other,s=AAAA,i=4096").is_none());
        assert!(scram.last("nonsense").is_none());
    }
}
