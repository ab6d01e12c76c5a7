import * as o from '../../gen/io/linkerd/proxy/outbound.ts';
import { duration, metadata } from './common-samples.ts';
import { weightedAddr } from './destination-samples.ts';
import { bytes, double, float, sample, varint } from './hand-made.ts';

/** The backends of outbound and what is kept of their failures, numbers from contract/proxy.md §1.8. */

const get = sample(o.Backend_EndpointDiscovery_DestinationGet, { path: 'a:80' }, bytes(1, 'a:80'));
const discovery = sample(
  o.Backend_EndpointDiscovery,
  { kind: { $case: 'dst', value: get.value } },
  bytes(1, get.wire),
);
const peak = sample(
  o.Backend_BalanceP2c_PeakEwma,
  { defaultRtt: duration.value, decay: duration.value },
  bytes(1, duration.wire),
  bytes(2, duration.wire),
);
const penalty = sample(
  o.Backend_BalanceP2c_PenaltyPeakEwma,
  {
    defaultRtt: duration.value,
    decay: duration.value,
    penalty: duration.value,
    maxRetryAfter: duration.value,
    penaltyDecay: duration.value,
  },
  ...[1, 2, 3, 4, 5].map((field) => bytes(field, duration.wire)),
);
const balancer = sample(
  o.Backend_BalanceP2c,
  { discovery: discovery.value, load: { $case: 'peakEwma', value: peak.value } },
  bytes(1, discovery.wire),
  bytes(2, peak.wire),
);
const queue = sample(
  o.Queue,
  { capacity: 100, failfastTimeout: duration.value },
  varint(1, 100),
  bytes(2, duration.wire),
);
export const backend = sample(
  o.Backend,
  { metadata: metadata.value, kind: { $case: 'balancer', value: balancer.value }, queue: queue.value },
  bytes(1, metadata.wire),
  bytes(3, balancer.wire),
  bytes(4, queue.wire),
);
export const backoff = sample(
  o.ExponentialBackoff,
  { minBackoff: duration.value, maxBackoff: duration.value, jitterRatio: 0.5, respectRetryAfterHint: true },
  bytes(1, duration.wire),
  bytes(2, duration.wire),
  float(3, 0.5),
  varint(4, 1),
);
const consecutive = sample(
  o.FailureAccrual_ConsecutiveFailures,
  { maxFailures: 7, backoff: backoff.value },
  varint(1, 7),
  bytes(2, backoff.wire),
);
const unified = sample(
  o.FailureAccrual_Unified,
  {
    successRateThreshold: 0.9,
    decay: duration.value,
    minRequests: 10,
    maxConsecutiveFailures: 7,
    backoff: backoff.value,
  },
  double(1, 0.9),
  bytes(2, duration.wire),
  varint(3, 10),
  varint(4, 7),
  bytes(5, backoff.wire),
);
const ejection = sample(o.EjectionConfig, { minReadyEndpoints: 2 }, varint(1, 2));
export const accrual = sample(
  o.FailureAccrual,
  { kind: { $case: 'consecutiveFailures', value: consecutive.value }, ejection: ejection.value },
  bytes(1, consecutive.wire),
  bytes(3, ejection.wire),
);

export const outboundBackendSamples = [
  backend,
  sample(
    o.Backend,
    { metadata: metadata.value, kind: { $case: 'forward', value: weightedAddr.value }, queue: queue.value },
    bytes(1, metadata.wire),
    bytes(2, weightedAddr.wire),
    bytes(4, queue.wire),
  ),
  discovery,
  get,
  balancer,
  sample(
    o.Backend_BalanceP2c,
    { discovery: discovery.value, load: { $case: 'penaltyPeakEwma', value: penalty.value } },
    bytes(1, discovery.wire),
    bytes(3, penalty.wire),
  ),
  peak,
  penalty,
  queue,
  accrual,
  sample(
    o.FailureAccrual,
    { kind: { $case: 'unified', value: unified.value }, ejection: ejection.value },
    bytes(2, unified.wire),
    bytes(3, ejection.wire),
  ),
  consecutive,
  unified,
  ejection,
  backoff,
];
