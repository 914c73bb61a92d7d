use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::config::Tls;
use crate::error::{Error, ErrorKind, Result};

/// The TLS settings of ordinary connections, none when they are in the clear.
pub(crate) fn client_config(tls: &Tls) -> Result<Option<ClientConfig>> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|cause| Error::new(ErrorKind::Configuration, "TLS can't be set up").caused_by(cause))?;
    Ok(match tls {
        Tls::Disable => None,
        Tls::Require => Some(
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Unchecked(provider)))
                .with_no_client_auth(),
        ),
        Tls::VerifyFull(ca_file) => {
            let mut roots = RootCertStore::empty();
            if let Some(path) = ca_file {
                let unreadable = |cause: rustls::pki_types::pem::Error| {
                    Error::new(
                        ErrorKind::Configuration,
                        format!("source.ca_file {} can't be read", path.display()),
                    )
                    .caused_by(cause)
                };
                for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
                    roots.add(certificate.map_err(unreadable)?).map_err(|cause| {
                        Error::new(
                            ErrorKind::Configuration,
                            format!("source.ca_file {} holds no certificate authority", path.display()),
                        )
                        .caused_by(cause)
                    })?;
                }
            } else {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
            Some(builder.with_root_certificates(roots).with_no_client_auth())
        }
    })
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
