/** The curve P-256 (secp256r1) of SEC 2 §2.4.2: y² = x³ − 3x + b over the field of p. */
const p = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

const asNumber = (bytes: Uint8Array): bigint => BigInt(`0x${bytes.toHex()}`);

/**
 * Whether the 64 bytes are the coordinates x and y of a point of the curve (SEC 1 §3.2.2.1; the cofactor is 1, so every
 * such point has the full order). A point off the curve would move the arithmetic to another, weaker one.
 */
export const isOnP256 = (coordinates: Uint8Array): boolean => {
  if (coordinates.length !== 64) return false;
  const x = asNumber(coordinates.subarray(0, 32));
  const y = asNumber(coordinates.subarray(32));
  return x < p && y < p && (y * y - (x * x - 3n) * x - b) % p === 0n;
};

/** SubjectPublicKeyInfo of P-256 up to the point: id-ecPublicKey with the named curve (RFC 5480 §2.1.1), BIT STRING of 65 bytes. */
const prefix = Uint8Array.fromHex('3059301306072a8648ce3d020106082a8648ce3d030107034200');

/** RFC 5480 §2.2: 0x04 says that both coordinates follow. */
const uncompressed = 0x04;

/** Whether the bytes are a SubjectPublicKeyInfo of P-256 in the one form that the proxy's own key has: uncompressed, named curve. */
export const isP256Spki = (spki: Uint8Array): boolean =>
  spki.length === prefix.length + 65 &&
  prefix.every((byte, index) => spki[index] === byte) &&
  spki[prefix.length] === uncompressed &&
  isOnP256(spki.subarray(prefix.length + 1));

/** The subjectPublicKey of a P-256 SubjectPublicKeyInfo: what key identifiers are made from (RFC 5280 §4.2.1.2). */
export const publicPoint = (spki: Uint8Array): Uint8Array => spki.subarray(prefix.length);
