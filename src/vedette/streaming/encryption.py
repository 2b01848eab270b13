"""Resource data of notifications, encrypted for the subscriber's certificate as Graph does it.

AES-256-CBC under a key made for each notification, the key by RSA-OAEP, the data signed with HMAC-SHA-256 under the key
(microsoft-graph-docs-contrib concepts/change-notifications-with-resource-data.md).
"""

import base64
import binascii
import hashlib
import hmac
import secrets

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from vedette.errors import InvalidRequestError

SMALLEST, LARGEST = 2048, 4096
"""Bits of the key."""

_KEY_BYTES, _BLOCK_BYTES = 32, 16


def load_certificate(text: str) -> x509.Certificate:
    """The certificate of a subscription: DER in base64, or PEM. Raises InvalidRequestError."""
    try:
        der = base64.b64decode("".join(text.split()), validate=True)
        certificate = (
            x509.load_pem_x509_certificate(der)
            if der.startswith(b"-----BEGIN")
            else x509.load_der_x509_certificate(der)
        )
    except (ValueError, binascii.Error) as error:
        raise InvalidRequestError("InvalidBodyValue", property="encryptionCertificate") from error
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or not SMALLEST <= key.key_size <= LARGEST:
        raise InvalidRequestError("InvalidBodyValue", property="encryptionCertificate")
    return certificate


def encrypted_content(data: bytes, certificate_text: str, certificate_id: str) -> dict[str, str]:
    """changeNotificationEncryptedContent."""
    certificate = load_certificate(certificate_text)
    public = certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    key = secrets.token_bytes(_KEY_BYTES)
    padder = PKCS7(8 * _BLOCK_BYTES).padder()
    padded = padder.update(data) + padder.finalize()
    # The vector is the beginning of the key, as documented; a key is used once.
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:_BLOCK_BYTES])).encryptor()
    encrypted = encryptor.update(padded) + encryptor.finalize()
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303 — as documented
    return {
        "data": base64.b64encode(encrypted).decode(),
        "dataKey": base64.b64encode(public.encrypt(key, oaep)).decode(),
        "dataSignature": base64.b64encode(hmac.new(key, encrypted, hashlib.sha256).digest()).decode(),
        "encryptionCertificateId": certificate_id,
        "encryptionCertificateThumbprint": certificate.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303
    }
