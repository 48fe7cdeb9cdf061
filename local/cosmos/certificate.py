"""A self-made certificate for https on loopback: clients with token credentials refuse plain http."""

import datetime as dt
import ipaddress
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_LIFETIME: Final = dt.timedelta(days=365)
_RENEWED_BEFORE: Final = dt.timedelta(days=30)


def certificate_in(folder: Path, now: dt.datetime | None = None) -> tuple[Path, Path]:
    """The certificate and its private key, made when missing or about to expire.

    Args:
        folder: Where both are kept.
        now: The present moment, for tests.

    Returns:
        The files of the certificate and of the key, PEM.
    """
    moment = now or dt.datetime.now(dt.UTC)
    certificate_file, key_file = folder / "certificate.pem", folder / "private-key.pem"
    if not (certificate_file.exists() and key_file.exists() and _is_fresh(certificate_file, moment)):
        _make(certificate_file, key_file, moment)
    return certificate_file, key_file


def _is_fresh(file: Path, moment: dt.datetime) -> bool:
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    return certificate.not_valid_after_utc > moment + _RENEWED_BEFORE


def _make(certificate_file: Path, key_file: Path, moment: dt.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - dt.timedelta(days=1))
        .not_valid_after(moment + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    key_file.touch(mode=0o600)
    key_file.chmod(0o600)
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
