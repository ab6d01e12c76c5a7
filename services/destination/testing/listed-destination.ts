import type { TestContext } from 'node:test';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { aPod, aService } from '@gatehouse/testing/builders';
import { type Ask, aDestination, admitted } from './a-destination.ts';
import type { FakeCall } from './fake-call.ts';

export const backend = 'backend.demo.svc.cluster.local:80';
export const service = (said: Parameters<typeof aService>[0] = {}) => aService({ name: 'backend', ...said });
export const pod = (index: number, said: Parameters<typeof aPod>[0] = {}) =>
  aPod({
    name: `backend-${index}`,
    ips: [`10.1.${index >> 8}.${index & 255}`],
    ...said,
    labels: { app: 'backend', ...said.labels },
  });

/** A destination that is listed, ended with the test like each call. */
export const listed = (context: TestContext, ...objects: readonly KubeObject[]) => {
  const destination = aDestination(...objects);
  destination.start();
  context.after(() => destination.stop());
  const ask = (method: 'Get' | 'GetProfile', asked: Ask): FakeCall => {
    const call = destination.ask(method, asked);
    context.after(() => call.cancel());
    return call;
  };
  const open = async (method: 'Get' | 'GetProfile', asked: Ask): Promise<FakeCall> => {
    const call = ask(method, asked);
    await admitted(destination.server);
    return call;
  };
  return { ...destination, ask, open };
};
