//! TLS towards PostgreSQL and Kafka.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::config::Tls;
use crate::error::{Error, ErrorKind, Result};

/// The TLS settings of connections, none when they are in the clear.
pub(crate) fn client_config(tls: &Tls) -> Result<Option<ClientConfig>> {
    config_with(tls, None)
}

/// The same with a certificate and key of our own, in two PEM files.
pub(crate) fn config_with(tls: &Tls, identity: Option<(&Path, &Path)>) -> Result<Option<ClientConfig>> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|cause| Error::new(ErrorKind::Configuration, "TLS can't be set up").caused_by(cause))?;
    let builder = match tls {
        Tls::Disable => return Ok(None),
        Tls::Require => builder.dangerous().with_custom_certificate_verifier(Arc::new(Unchecked(provider))),
        Tls::VerifyFull(ca_file) => {
            let mut roots = RootCertStore::empty();
            if let Some(path) = ca_file {
                for certificate in certificates(path)? {
                    roots.add(certificate).map_err(|cause| {
                        Error::new(
                            ErrorKind::Configuration,
                            format!("{} holds no certificate authority", path.display()),
                        )
                        .caused_by(cause)
                    })?;
                }
            } else {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
            builder.with_root_certificates(roots)
        }
    };
    let Some((certificate, key)) = identity else { return Ok(Some(builder.with_no_client_auth())) };
    let key_file = PrivateKeyDer::from_pem_file(key).map_err(|cause| unreadable(key, cause))?;
    builder.with_client_auth_cert(certificates(certificate)?, key_file).map(Some).map_err(|cause| {
        Error::new(
            ErrorKind::Configuration,
            format!("{} and {} are no certificate and its key", certificate.display(), key.display()),
        )
        .caused_by(cause)
    })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|cause| unreadable(path, cause))
}

fn unreadable(path: &Path, cause: rustls::pki_types::pem::Error) -> Error {
    Error::new(ErrorKind::Configuration, format!("the certificate file {} can't be read", path.display()))
        .caused_by(cause)
}

/// `ssl_mode = "require"` encrypts and takes any certificate, as libpq does; signatures are checked.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
