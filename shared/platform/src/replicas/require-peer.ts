import type { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { GatehouseError } from '@gatehouse/core/error';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { pathOf } from '../http/guard.ts';
import { chainFlaw } from '../tls/chain.ts';
import { certificatesInPem } from '../tls/material.ts';
import { nameFlaw } from '../tls/name-flaw.ts';
import { internalPrefix } from './answer-peers.ts';

/**
 * Whether a request is for what only replicas are answered, by the route that the router matched; without a route, by the
 * path, so that nobody learns which routes there are.
 */
export const isForReplicas = (request: FastifyRequest): boolean =>
  isInternal(request.routeOptions.url ?? decoded(pathOf(request)));

/** Whether a route, or a path that no route has, is served to replicas alone. */
export const isInternal = (path: string): boolean =>
  path === internalPrefix || path.startsWith(`${internalPrefix}/`);

/** Whom `/internal` answers: who shows a certificate of `name` that leads to `trustAnchors` (PEM) at `now` (epoch milliseconds). */
export interface PeerRule {
  /** Undefined where a service has no other replicas. */
  readonly name: string | undefined;
  /** As they are now; undefined before the first. */
  readonly trustAnchors: string | undefined;
  readonly now: number;
}

/**
 * Lets another replica pass, or throws: neither a token nor loopback opens what is for replicas alone. The certificate is
 * judged again for each request, since a connection outlives certificates and anchors.
 */
export const requirePeer = (request: FastifyRequest, reply: FastifyReply, rule: PeerRule): void => {
  const flaw = peerFlaw(request.raw.socket, rule);
  if (flaw === undefined) return;
  // Whom the handshake did not believe may be believed by the next one, once anchors have changed.
  reply.header('connection', 'close');
  throw new GatehouseError(
    'permission-denied',
    `only other replicas of this service are answered here: ${flaw}`,
  );
};

const peerFlaw = (socket: unknown, { name, trustAnchors, now }: PeerRule): string | undefined => {
  if (name === undefined) return 'this service runs without replicas';
  if (!(socket instanceof TLSSocket)) return 'this is plain HTTP';
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return 'no client certificate was shown';
  // OpenSSL's verdict at the handshake knows of purposes, which ours does not; ours knows what changed since.
  if (!socket.authorized) return `the certificate was not accepted: ${socket.authorizationError}`;
  return chainFlaw(chainOf(leaf), certificatesInPem(trustAnchors ?? ''), now) ?? nameFlaw(leaf.raw, name);
};

/** More than a proxy would look at. */
const longest = 10;

/** What the client showed. Node adds the anchor that OpenSSL found, which is its own issuer without end. */
const chainOf = (leaf: X509Certificate): readonly Uint8Array[] => {
  const chain = [leaf.raw];
  let issuer = leaf.issuerCertificate;
  while (issuer !== undefined && !issuer.checkIssued(issuer) && chain.length < longest) {
    chain.push(issuer.raw);
    issuer = issuer.issuerCertificate;
  }
  return chain;
};

/** A path that cannot be decoded is nobody's, and refused by the guard. */
const decoded = (path: string): string => {
  try {
    return decodeURIComponent(path);
  } catch {
    return '';
  }
};
