import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDestinationConfig } from '@gatehouse/destination/config';
import { startDestination } from '@gatehouse/destination/service';
import { readIdentityConfig } from '@gatehouse/identity/config';
import { startIdentity } from '@gatehouse/identity/service';
import { Dice } from '@gatehouse/identity/testing/fuzz/dice';
import { silentLog } from '@gatehouse/platform/log/log';
import type { RunningService } from '@gatehouse/platform/service/service';
import { readPolicyConfig } from '@gatehouse/policy/config';
import { startPolicy } from '@gatehouse/policy/service';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { type Attack, partOf } from './attack.ts';

const starts = {
  identity: (env: NodeJS.ProcessEnv, source: FakeSource) =>
    startIdentity(readIdentityConfig(env), { source, log: silentLog }),
  destination: (env: NodeJS.ProcessEnv, source: FakeSource) =>
    startDestination(readDestinationConfig(env), { source, log: silentLog }),
  policy: (env: NodeJS.ProcessEnv, source: FakeSource) =>
    startPolicy(readPolicyConfig(env), { source, log: silentLog }),
} satisfies Record<string, (env: NodeJS.ProcessEnv, source: FakeSource) => Promise<RunningService>>;

/** Paths of all services and of none, which a stranger may know from the documentation. */
const paths = [
  '/v1/health',
  '/v1/openapi.json',
  '/v1/certificates',
  '/v1/trust-bundle',
  '/v1/issuer',
  '/v1/streams',
  '/v1/policies',
  '/v1/rows',
  '/v1/workloads',
  '/v1/services',
  '/v1/namespaces/demo/policies',
  '/v1/namespaces/demo/workloads/backend-0/ports/8080',
  '/v1/services/demo/backend/8080/endpoints',
  '/v1/replica/streams',
];

/** What might take a router, a proxy before it or a normaliser in. */
const disguises: readonly ((path: string) => string)[] = [
  (path) => path,
  (path) => `/${path}`,
  (path) => `${path}/`,
  (path) => `${path}?token=x`,
  (path) => path.replace('v1', '%76%31'),
  (path) => path.replace('/v1', '/live/../v1'),
  (path) => path.replace('/v1', '/v1/.'),
  (path) => path.replace('/v1', '/V1'),
  (path) => `${path};a=b`,
  (path) => `${path}%00`,
  (path) => `http://a.example${path}`,
];

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'];

const callers: readonly ((dice: Dice) => Record<string, string>)[] = [
  () => ({}),
  (dice) => ({
    authorization: `Bearer ${Buffer.from(dice.bytes(1 + dice.below(60))).toString('base64url')}`,
  }),
  (dice) => ({ authorization: `Bearer ${'x'.repeat(dice.below(4_000))}` }),
  () => ({ authorization: 'Basic YWRtaW46YWRtaW4=' }),
  () => ({
    'x-forwarded-for': '127.0.0.1',
    'x-remote-user': 'system:admin',
    'x-remote-group': 'system:masters',
  }),
  () => ({ 'x-original-url': '/live', 'x-http-method-override': 'GET' }),
];

/** What every client may be told: that it is closed, that it was not found, or that the request could not be parsed. */
const isClosed = (status: number): boolean => status >= 400 && status < 500;

/** A stranger who asks the REST API of every service for everything, without a token that is any good. */
export const rest: Attack = {
  name: 'REST',
  run: async ({ share, seed, cleanup }) => {
    const dice = new Dice(seed);
    const root = await mkdtemp(join(tmpdir(), 'gatehouse-hostile-'));
    cleanup.after(() => rm(root, { recursive: true }));
    const findings: string[] = [];
    const each = partOf(1_000, share);
    let refused = 0;
    for (const [name, start] of Object.entries(starts)) {
      const state = join(root, name);
      await mkdir(state, { mode: 0o700 });
      const service = await start(
        {
          GATEHOUSE_SOURCE: 'directory:/nowhere',
          GATEHOUSE_STATE_DIR: state,
          GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
          GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
        },
        new FakeSource(),
      );
      cleanup.after(() => service.stop('the attack is over'));
      for (let count = 0; count < each; count += 1) {
        const method = dice.pick(methods);
        const path = dice.pick(disguises)(dice.pick(paths));
        const headers = dice.pick(callers)(dice);
        const status = await statusOf({ admin: service.admin, method, path, headers });
        if (status === 'hung-up' || isClosed(status)) refused += 1;
        else findings.push(`${name}: ${method} ${path} with ${Object.keys(headers).join()}: ${status}`);
      }
      const alive = await statusOf({ admin: service.admin, method: 'GET', path: '/live', headers: {} });
      if (alive !== 200) findings.push(`${name}: /live says ${alive} afterwards`);
    }
    return { tried: 3 * each, findings, held: `${refused} refused, none answered` };
  },
};

interface Question {
  readonly admin: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** By node:http, which sends a path as it is written. */
const statusOf = async ({ admin, method, path, headers }: Question): Promise<number | 'hung-up'> => {
  const { hostname, port } = new URL(admin);
  const asked = request({ host: hostname, port, method, path, headers, agent: false });
  try {
    const answered = once(asked, 'response') as Promise<[IncomingMessage]>;
    asked.end();
    const [response] = await answered;
    response.resume();
    return response.statusCode ?? 0;
  } catch {
    return 'hung-up';
  }
};
