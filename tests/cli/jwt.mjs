// SPDX-License-Identifier: GPL-3.0-or-later
// jwt.mjs - writes jwks.json and, for each kind of JSON Web Token, NAME.good or NAME.bad; by node's own cryptography.
import crypto from 'node:crypto';
import fs from 'node:fs';

const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = crypto.generateKeyPairSync('ed25519');
const secret = crypto.randomBytes(32);
const jwk = (pair, more) => ({ ...pair.publicKey.export({ format: 'jwk' }), ...more });
const keys = [
    jwk(rsa, { kid: 'r', alg: 'RS256', use: 'sig' }),
    jwk(rsa, { kid: 'any' }), // its algorithm is not told
    jwk(rsa, { kid: 'enc', use: 'enc' }),
    jwk(ec, { kid: 'e', alg: 'ES256' }),
    jwk(ed, { kid: 'd', alg: 'EdDSA' }),
    { kty: 'oct', k: secret.toString('base64url'), kid: 'shared', alg: 'HS256' },
];
fs.writeFileSync('jwks.json', JSON.stringify({ keys }));
fs.writeFileSync('less.json', JSON.stringify({ keys: keys.slice(3) }));
fs.writeFileSync('shared.json', JSON.stringify({ keys: keys.slice(5) }));

const sign = {
    RS256: (text, key) => crypto.sign('sha256', text, key),
    PS256: (text, key) => crypto.sign('sha256', text, { key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
    ES256: (text, key) => crypto.sign('sha256', text, { key, dsaEncoding: 'ieee-p1363' }),
    EdDSA: (text, key) => crypto.sign(null, text, key),
    HS256: (text, key) => crypto.createHmac('sha256', key).update(text).digest(),
    none: () => '',
};
const base64 = (value) => Buffer.from(value).toString('base64url');
const now = Math.floor(Date.now() / 1000);
const claims = (more) => base64(JSON.stringify({ iss: 'https://id.example', aud: 'audiopipe', sub: 'alice', exp: now + 3600, ...more }));
const token = (alg, kid, key, more = {}, header = {}) => {
    const text = `${base64(JSON.stringify({ alg, typ: 'JWT', kid, ...header }))}.${claims(more)}`;
    return `${text}.${Buffer.from(sign[alg](Buffer.from(text), key)).toString('base64url')}`;
};
const [r, e, d] = [rsa.privateKey, ec.privateKey, ed.privateKey];
const rs = (more, header) => token('RS256', 'r', r, more, header);
const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' });
const other = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
const parts = token('ES256', 'e', e).split('.');

const good = {
    rs: rs(),
    es: token('ES256', 'e', e),
    ed: token('EdDSA', 'd', d),
    ps: token('PS256', 'any', r),
    list: rs({ aud: ['other', 'audiopipe'] }),
    began: rs({ nbf: now - 10 }),
    admin: rs({ sub: 'boss', role: 'admin' }),
    roles: rs({ sub: 'boss', role: ['user', 'admin'] }),
};
const bad = {
    ended: rs({ exp: now - 10 }),
    endless: rs({ exp: undefined }),
    'end-text': rs({ exp: 'never' }),
    early: rs({ nbf: now + 1000 }),
    'early-text': rs({ nbf: 'x' }),
    audience: rs({ aud: 'other' }),
    'no-audience': rs({ aud: undefined }),
    issuer: rs({ iss: 'https://evil.example' }),
    nobody: rs({ sub: undefined }),
    'odd-name': rs({ sub: '../alice' }),
    unsigned: token('none', 'r'),
    confused: token('HS256', 'r', pem), // the public key as the secret
    'confused-any': token('HS256', 'any', pem),
    shared: token('HS256', 'shared', secret), // keys that both sides know are not taken at all
    algorithm: token('PS256', 'r', r), // the key is for RS256
    use: token('RS256', 'enc', r),
    kid: token('RS256', 'unknown', r),
    'no-kid': token('RS256', undefined, r),
    'wrong-kid': token('ES256', 'r', e),
    'own-key': token('RS256', 'r', other.privateKey, {}, { jwk: jwk(other, {}) }), // a key that the token brings along
    critical: rs({}, { crit: ['exp'] }),
    changed: `${parts[0]}.${claims({ sub: 'mallory' })}.${parts[2]}`,
    cut: good.rs.slice(0, -10),
    empty: '..',
    long: rs({ more: 'x'.repeat(9000) }),
};
for (const [name, text] of Object.entries(good)) fs.writeFileSync(`${name}.good`, text);
for (const [name, text] of Object.entries(bad)) fs.writeFileSync(`${name}.bad`, text);
