import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSliceSpec } from '@gatehouse/core/resources/kinds/kubernetes';
import { readWire } from '@gatehouse/testing/wire-objects';
import { findPeers } from './find-peers.ts';

const slice = (said: {
  readonly ports?: readonly object[];
  readonly endpoints: readonly object[];
  readonly addressType?: string;
}): EndpointSliceSpec => readWire('EndpointSlice', { addressType: 'IPv4', ...said }).spec;

const endpoint = (address: string, pod: string, conditions: object = { ready: true }) => ({
  addresses: [address],
  conditions,
  targetRef: { kind: 'Pod', namespace: 'gatehouse', name: pod },
});

const found = (slices: readonly EndpointSliceSpec[], self = 'p-0'): readonly string[] =>
  findPeers(slices, { self, adminPort: 9997 }).map(
    ({ name, address }) => `${name} ${address.host} ${address.port}`,
  );

test('peers are the other pods of all slices, by name, at the port named admin', () => {
  const ports = [
    { name: 'grpc', port: 8090, protocol: 'TCP' },
    { name: 'admin', port: 19997, protocol: 'TCP' },
  ];
  const slices = [
    slice({ ports, endpoints: [endpoint('10.0.0.2', 'p-2'), endpoint('10.0.0.0', 'p-0')] }),
    slice({ ports, endpoints: [endpoint('10.0.0.1', 'p-1')] }),
  ];
  assert.deepEqual(found(slices), ['p-1 10.0.0.1 19997', 'p-2 10.0.0.2 19997']);
});

test('where the Service names no admin port, peers are asked at the port that we have ourselves', () => {
  const ports = [{ name: 'grpc', port: 8090, protocol: 'TCP' }];
  assert.deepEqual(found([slice({ ports, endpoints: [endpoint('10.0.0.1', 'p-1')] })]), [
    'p-1 10.0.0.1 9997',
  ]);
});

test('a replica that is not ready, or is being shut down, is asked too: it has streams and a record', () => {
  const endpoints = [
    endpoint('10.0.0.1', 'p-1', { ready: false, serving: false }),
    endpoint('10.0.0.2', 'p-2', { ready: false, serving: true, terminating: true }),
  ];
  assert.deepEqual(found([slice({ endpoints })]), ['p-1 10.0.0.1 9997', 'p-2 10.0.0.2 9997']);
});

test('a pod with addresses of both families is one peer, at its IPv4 address, whatever the order of the slices', () => {
  const six = slice({
    addressType: 'IPv6',
    endpoints: [endpoint('fd00::1', 'p-1'), endpoint('fd00::2', 'p-2')],
  });
  const four = slice({ endpoints: [endpoint('10.0.0.1', 'p-1')] });
  const expected = ['p-1 10.0.0.1 9997', 'p-2 fd00::2 9997'];
  assert.deepEqual(found([six, four]), expected);
  assert.deepEqual(found([four, six]), expected);
});

test('an endpoint that names no pod goes by its address', () => {
  assert.deepEqual(found([slice({ endpoints: [{ addresses: ['10.0.0.9'] }] })]), ['10.0.0.9 10.0.0.9 9997']);
});

test('without slices there is nobody', () => assert.deepEqual(found([]), []));
