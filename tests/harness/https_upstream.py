"""Services outside AWS: servers by HTTPS."""

import json
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness.server import Handler, Server


class HttpsServer:
    """With a certificate for `name` that it has signed itself."""

    def __init__(self, folder: Path, name: str, handler: type[Handler]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.certificate, key = folder / "certificate.pem", folder / "key.pem"
        _sign(name, self.certificate, key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server = Server(handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.start()
        self.url = f"https://{self.server.address}"

    def close(self) -> None:
        self.server.close()


class HttpsUpstream(HttpsServer):
    """Answers each request with what it got."""

    def __init__(self, folder: Path, name: str) -> None:
        self.asked: list[dict[str, Any]] = []
        asked = self.asked

        class Answers(Handler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                got = {"method": self.command, "path": self.path, "headers": headers, "body": body.decode()}
                asked.append(got)
                answer = json.dumps(got).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = answer

        super().__init__(folder, name, Answers)


def _sign(name: str, certificate: Path, key: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(subject, subject, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
