import type { StreamFacts } from '@gatehouse/platform/admin/streams';

/** A stream that was opened and sent nothing yet, but for what a test says. */
export const someStreamFacts = (fields: Partial<StreamFacts> = {}): StreamFacts => ({
  id: '1',
  method: 'Destination/Get',
  target: 'backend.demo:80',
  peer: '10.0.0.1:4000',
  identity: undefined,
  claimedNamespace: undefined,
  openedAt: 0,
  version: undefined,
  sentAt: undefined,
  sentBytes: 0,
  pending: 'nothing',
  deliveredVersion: undefined,
  deliveredAt: undefined,
  ...fields,
});
