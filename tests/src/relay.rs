//! Something between the server and the platform: a port that may be closed, or speak TLS.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Hands connections on to the platform, once it is open.
pub struct Relay {
    /// Where it listens, or will listen.
    pub address: SocketAddr,
    tls: Option<(TlsAcceptor, String)>,
}

impl Relay {
    /// A port that refuses connections until it is opened.
    pub fn closed() -> Result<Self> {
        Ok(Self { address: SocketAddr::from(([127, 0, 0, 1], crate::port()?)), tls: None })
    }

    /// A port that speaks TLS as `localhost`, with a certificate that nobody has signed.
    pub fn tls() -> Result<Self> {
        rustls::crypto::ring::default_provider().install_default().ok();
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()])?;
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).map_err(anyhow::Error::msg)?;
        let config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key)?;
        let tls = Some((TlsAcceptor::from(Arc::new(config)), cert.pem()));
        Ok(Self { tls, ..Self::closed()? })
    }

    /// Writes the certificate for a configuration's `ca_file`.
    pub fn write_certificate(&self, path: &Path) -> Result<()> {
        let (_, pem) = self.tls.as_ref().context("it speaks no TLS")?;
        Ok(std::fs::write(path, pem)?)
    }

    /// Opens the port, and hands on what comes, for as long as the test runs.
    pub async fn open(&self, platform: SocketAddr) -> Result<()> {
        let listener = TcpListener::bind(self.address).await?;
        let acceptor = self.tls.as_ref().map(|(acceptor, _)| acceptor.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    match acceptor {
                        // A client that does not trust the certificate goes away.
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                hand_on(stream, platform).await;
                            }
                        }
                        None => hand_on(stream, platform).await,
                    }
                });
            }
        });
        Ok(())
    }
}

/// Both ways, until one side ends.
async fn hand_on(mut stream: impl AsyncRead + AsyncWrite + Unpin, platform: SocketAddr) {
    if let Ok(mut platform) = TcpStream::connect(platform).await {
        copy_bidirectional(&mut stream, &mut platform).await.ok();
    }
}
