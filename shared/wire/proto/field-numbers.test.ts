import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as duration from '../gen/google/protobuf/duration.ts';
import * as destination from '../gen/io/linkerd/proxy/destination.ts';
import * as grpcRoute from '../gen/io/linkerd/proxy/grpc_route.ts';
import * as httpRoute from '../gen/io/linkerd/proxy/http_route.ts';
import * as httpTypes from '../gen/io/linkerd/proxy/http_types.ts';
import * as identity from '../gen/io/linkerd/proxy/identity.ts';
import * as inbound from '../gen/io/linkerd/proxy/inbound.ts';
import * as meta from '../gen/io/linkerd/proxy/meta.ts';
import * as net from '../gen/io/linkerd/proxy/net.ts';
import * as opaqueRoute from '../gen/io/linkerd/proxy/opaque_route.ts';
import * as outbound from '../gen/io/linkerd/proxy/outbound.ts';
import * as tlsRoute from '../gen/io/linkerd/proxy/tls_route.ts';
import { commonSamples } from './testing/common-samples.ts';
import { destinationSamples } from './testing/destination-samples.ts';
import { fixed64, type Sample } from './testing/hand-made.ts';
import { inboundSamples } from './testing/inbound-samples.ts';
import { outboundSamples } from './testing/outbound-samples.ts';

const samples: readonly Sample[] = [
  ...commonSamples,
  ...destinationSamples,
  ...inboundSamples,
  ...outboundSamples,
];

const packages = {
  destination,
  duration,
  grpcRoute,
  httpRoute,
  httpTypes,
  identity,
  inbound,
  meta,
  net,
  opaqueRoute,
  outbound,
  tlsRoute,
};

/** Every codec that was generated, by name; entries of maps travel inside the messages that hold them. */
const codecs = new Map<unknown, string>(
  Object.entries(packages).flatMap(([file, exported]) =>
    Object.entries(exported)
      .filter(([name, value]) => typeof value === 'object' && 'encode' in value && !name.endsWith('Entry'))
      .map(([name, value]) => [value, `${file}.${name}`] as const),
  ),
);

test('every message and every choice of it is on the wire as the contract numbers it', () => {
  assert.equal(samples.length, 206);
  for (const sample of samples) {
    const name = codecs.get(sample.codec) ?? 'a message that was not generated';
    assert.equal(sample.encoded().toString('hex'), sample.wire.toString('hex'), name);
    assert.deepEqual(sample.decoded(), sample.value, name);
  }
});

test('no message that our services send or receive is left out', () => {
  const tried = new Set(samples.map(({ codec }) => codec));
  assert.deepEqual(
    [...codecs].filter(([codec]) => !tried.has(codec)).map(([, name]) => name),
    [],
  );
  assert.equal(codecs.size, 151);
});

test('fields that we do not know are skipped, as messages of newer proxies may have them', () => {
  for (const { codec, value, wire } of samples) {
    const known = codec as { decode(input: Uint8Array): unknown };
    assert.deepEqual(known.decode(Buffer.concat([wire, fixed64(1_000, 7n)])), value, codecs.get(codec) ?? '');
  }
});
