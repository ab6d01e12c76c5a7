import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process, { env, execPath, stdout } from 'node:process';
import { anAuthority } from '@gatehouse/dev/certificates';
import { compileCache, nodeOptions, writeCompiledCode } from '@gatehouse/pack/image/compiled';
import { pack } from '@gatehouse/pack/pack';
import { GrpcClient } from '@gatehouse/platform/grpc/client';
import { type ServiceName, serviceNames } from '@gatehouse/platform/service/service';
import { freePort } from '@gatehouse/testing/free-port';
import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { budgets } from './start/budgets.ts';
import { makeNamespaces, makePods } from './start/pods-in-cluster.ts';
import { measureStart, type Program, type Started } from './start/process-figures.ts';
import { meshedPod } from './watch/meshed-pod.ts';

/** The start of each service as the image runs it in a pod, on a real API server with meshed pods: until it is ready, and its memory. */
const sizes = [2_000, 10_000] as const;
const rounds = 3;

const { assets, skip } = realApiServerAssets();
const linkerd = env.LINKERD_POLICY_CONTROLLER_BIN;

interface Place {
  readonly folder: string;
  readonly packed: string;
  readonly cluster: RealCluster;
}

/**
 * What a pod has: its ServiceAccount's files at their usual place, for which the process gets a file system of its own; no home, no
 * kubeconfig. Gives the arguments of `unshare`.
 */
const inPod = (folder: string, command: readonly string[]): readonly string[] => [
  ...['--map-root-user', '--mount', 'sh', '-c'],
  'mount -t tmpfs none /run && mkdir -p "$1" && cp "$0"/* "$1" && shift && exec "$@"',
  ...[join(folder, 'account'), '/run/secrets/kubernetes.io/serviceaccount', ...command],
];

const serviceIn = async ({ folder, packed, cluster }: Place, service: ServiceName): Promise<Program> => {
  const [grpc, admin] = [await freePort(), await freePort()];
  return {
    command: 'unshare',
    args: inPod(folder, [execPath, ...nodeOptions, join(packed, 'serve.mjs'), service]),
    env: {
      NODE_ENV: 'production',
      ...compileCache(packed),
      HOME: '/nowhere',
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: new URL(cluster.server.url).port,
      GATEHOUSE_GRPC_ADDR: `127.0.0.1:${grpc}`,
      GATEHOUSE_ADMIN_ADDR: `127.0.0.1:${admin}`,
      GATEHOUSE_TRUST_ANCHORS: join(folder, 'roots.crt'),
      ...(service === 'identity' ? { GATEHOUSE_ISSUER_DIR: folder } : {}),
      ...(service === 'policy' ? { GATEHOUSE_WEBHOOK_ADDR: '' } : {}),
    },
    readyUrl: `http://127.0.0.1:${admin}/ready`,
  };
};

/** Linkerd's controller says that it is ready seconds before it knows the pods, so that it is asked for some of them. */
const linkerdIn = async ({ cluster }: Place, binary: string, pods: number): Promise<Program> => {
  const [grpc, admin] = [await freePort(), await freePort()];
  const asked = Array.from({ length: 20 }, (_, index) => Math.floor(((index + 1) * pods) / 20) - 1);
  return {
    command: binary,
    args: [
      `--kubeconfig=${cluster.server.kubeconfig}`,
      '--admission-controller-disabled',
      `--grpc-addr=127.0.0.1:${grpc}`,
      `--admin-addr=127.0.0.1:${admin}`,
      '--control-plane-namespace=gatehouse',
      '--policy-deployment-name=linkerd-destination',
      '--identity-domain=cluster.local',
      '--cluster-networks=10.0.0.0/8',
      '--probe-networks=0.0.0.0/0',
      '--default-policy=deny',
      '--default-opaque-ports=25',
    ],
    env: { HOSTNAME: 'linkerd-destination-0' },
    readyUrl: `http://127.0.0.1:${admin}/ready`,
    isFull: async () => {
      const client = new GrpcClient({
        address: { host: '127.0.0.1', port: grpc },
        security: 'plaintext',
        connectTimeoutMs: 10_000,
      });
      const knows = async (pod: number): Promise<boolean> => {
        const { namespace: ns, name } = meshedPod(pod).metadata as Record<string, string>;
        const request = PortSpec.encode({ workload: JSON.stringify({ ns, pod: name }), port: 8080 }).finish();
        const path = '/io.linkerd.proxy.inbound.InboundServerPolicies/GetPort';
        return client.unary(path, request).then(
          () => true,
          () => false,
        );
      };
      const known = await Promise.all(asked.map(knows));
      await client.close();
      return known.every(Boolean);
    },
  };
};

const bareNode = async (): Promise<Program> => {
  const port = await freePort();
  const script = `require('node:http').createServer((_, response) => response.end()).listen(${port}, '127.0.0.1')`;
  return {
    command: execPath,
    args: [...nodeOptions, '-e', script],
    env: {},
    readyUrl: `http://127.0.0.1:${port}`,
  };
};

/** The smallest of several runs of each figure: what other processes do to it only adds. */
const smallest = async (make: () => Promise<Program>): Promise<Started> => {
  const all: Started[] = [];
  for (let round = 0; round < rounds; round += 1) all.push(await measureStart(await make()));
  const least = (of: (one: Started) => number): number => Math.min(...all.map(of));
  return {
    readyMs: least(({ readyMs }) => readyMs),
    cpuMs: least(({ cpuMs }) => cpuMs),
    rssBytes: least(({ rssBytes }) => rssBytes),
    laterBytes: least(({ laterBytes }) => laterBytes),
  };
};

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

const line = (name: string, cells: readonly string[]): void => {
  stdout.write(`${name.padEnd(24)}${cells.map((cell) => cell.padStart(12)).join('')}\n`);
};

const budgetOf = (name: keyof typeof budgets, pods: number): number =>
  budgets[name] +
  (name === 'policy' || name === 'destination'
    ? (budgets.thousandPods * Math.max(0, pods - sizes[0])) / 1_000
    : 0);

const row = (name: string, one: Started, budget?: number): void =>
  line(name, [
    `${one.readyMs.toFixed(0)} ms`,
    `${one.cpuMs} ms`,
    megabytes(one.rssBytes),
    megabytes(one.laterBytes),
    ...(budget === undefined ? [] : [`${budget} MB`, one.laterBytes <= budget * 1e6 ? 'kept' : 'MISSED']),
  ]);

const prepare = async (folder: string, cluster: RealCluster): Promise<Place> => {
  const packed = join(folder, 'packed');
  await pack(packed);
  await writeCompiledCode(packed);
  const account = join(folder, 'account');
  await mkdir(account);
  const root = anAuthority({ name: 'root of the bench' });
  const issuer = anAuthority({ name: 'issuer of the bench', issuedBy: root });
  const { server } = cluster;
  await Promise.all([
    writeFile(join(account, 'token'), server.token),
    writeFile(join(account, 'ca.crt'), server.ca),
    writeFile(join(account, 'namespace'), 'gatehouse'),
    writeFile(join(folder, 'roots.crt'), root.pem),
    writeFile(join(folder, 'tls.crt'), issuer.pem),
    writeFile(join(folder, 'tls.key'), issuer.key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 }),
  ]);
  return { folder, packed, cluster };
};

const compare = async (place: Place, pods: number): Promise<void> => {
  stdout.write(`\n${pods} meshed pods of 12 kB, the smallest of ${rounds} runs\n`);
  line('', ['ready', 'its CPU', 'RSS then', '10 s later', 'budget']);
  row('node', await smallest(bareNode), budgets.node);
  const ours = new Map<ServiceName, Started>();
  for (const service of serviceNames) {
    const one = await smallest(() => serviceIn(place, service));
    ours.set(service, one);
    row(service, one, budgetOf(service, pods));
  }
  const policy = ours.get('policy');
  if (linkerd === undefined || policy === undefined) return;
  const theirs = await smallest(() => linkerdIn(place, linkerd, pods));
  row("Linkerd's policy", theirs);
  line('ratio', [
    (policy.readyMs / theirs.readyMs).toFixed(2),
    (policy.cpuMs / theirs.cpuMs).toFixed(2),
    (policy.rssBytes / theirs.rssBytes).toFixed(2),
    (policy.laterBytes / theirs.laterBytes).toFixed(2),
  ]);
};

if (skip !== false) {
  stdout.write(`not measured: ${skip}\n`);
} else {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-start-'));
  const cluster = await RealCluster.start(assets);
  try {
    const place = await prepare(folder, cluster);
    await makeNamespaces(cluster);
    let made = 0;
    for (const pods of sizes) {
      await makePods(cluster, made, pods);
      made = pods;
      await compare(place, pods);
    }
  } finally {
    await cluster[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }
}
process.exit(0);
