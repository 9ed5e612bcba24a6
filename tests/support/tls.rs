//! A seller behind TLS whose certificate comes from an authority of its own, as a man in the middle's would.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

use super::hostile_seller::{offer, required};

/// An authority nobody asked for.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A running seller; every page costs a cent.
pub struct TlsSeller {
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Requests that got through the handshake.
    pub requests: Arc<AtomicUsize>,
    /// The `Date` it sends, if any.
    pub date: Arc<Mutex<Option<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for TlsSeller {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Authority {
    /// A fresh one.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self { issuer: CertifiedIssuer::self_signed(params, key).expect("a certificate") }
    }

    /// Its certificate as a PEM file, for who wants to trust it.
    pub fn write(&self, dir: &Path) -> PathBuf {
        let file = dir.join("authority.pem");
        std::fs::write(&file, self.issuer.pem()).expect("a file");
        file
    }

    /// Opens a seller for these names on a port of its own.
    pub async fn seller(&self, names: &[&str]) -> TlsSeller {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(names).expect("names");
        let certificate: CertificateDer<'static> = params.signed_by(&key, &self.issuer).expect("a certificate").into();
        let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("protocol versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], private);
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("a configuration")));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (requests, date) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(None)));
        let task = tokio::spawn({
            let (requests, date) = (requests.clone(), date.clone());
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let (acceptor, requests, date) = (acceptor.clone(), requests.clone(), date.clone());
                    tokio::spawn(async move {
                        let Ok(mut stream) = acceptor.accept(stream).await else { return };
                        requests.fetch_add(1, Ordering::SeqCst);
                        let mut head = vec![0; 8 * 1024];
                        let read = stream.read(&mut head).await.unwrap_or_default();
                        let head = String::from_utf8_lossy(&head[..read]).to_ascii_lowercase();
                        let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
                        let date = date.lock().expect("a lock").clone();
                        let _ = stream.write_all(price(host, date).as_bytes()).await;
                        let _ = stream.shutdown().await;
                    });
                }
            }
        });
        TlsSeller { port, requests, date, task }
    }
}

fn price(host: &str, date: Option<String>) -> String {
    let offered = STANDARD.encode(required(&format!("https://{host}/"), vec![offer()]).to_string());
    let date = date.map_or_else(String::new, |date| format!("Date: {date}\r\n"));
    format!(
        "HTTP/1.1 402 Payment Required\r\n{date}PAYMENT-REQUIRED: {offered}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    )
}
