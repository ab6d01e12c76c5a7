import type { ServerResponse } from 'node:http';
import { expired } from './api-status.ts';
import { type Fault, faultStatus } from './faults.ts';

/** Lets a fault befall a request before it is answered; answers whether that was all of the answer. Throws ApiStatus. */
export const injectFault = async (
  fault: Fault,
  response: ServerResponse,
  isWatch: boolean,
): Promise<boolean> => {
  switch (fault.kind) {
    case 'status':
      throw faultStatus(fault);
    case 'gone':
      if (isWatch) return false;
      throw expired('The resourceVersion for the provided list is too old.');
    case 'hang-up':
      response.destroy();
      return true;
    case 'silence':
      // A silent watch is answered as far as its headers.
      return !isWatch;
    case 'slow':
      await pause(fault.ms, response);
      return response.destroyed;
    case 'cut':
      if (isWatch) return false;
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
      response.write('{"kind":"Lis', () => response.destroy());
      return true;
    case 'garbage':
      if (isWatch) return false;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"kind": no JSON');
      return true;
    case 'dribble':
      return false;
  }
};

/** Waits, but not longer than the client does or the server runs. */
const pause = async (ms: number, response: ServerResponse): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  response.once('close', resolve);
  await promise;
  clearTimeout(timer);
  response.off('close', resolve);
};
