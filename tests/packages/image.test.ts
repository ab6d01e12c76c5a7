import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getuid, platform } from 'node:process';
import { before, suite, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { serviceNames } from '@gatehouse/dev/serve/service-addresses';
import { imageOf } from '@gatehouse/pack/image/image';
import { pack } from '@gatehouse/pack/pack';
import { GrpcClient } from '@gatehouse/platform/grpc/client';
import { accountOf, type ServiceName } from '@gatehouse/platform/service/service';
import { stateDirAt } from '@gatehouse/platform/state/state-dir';
import { openFakeCluster } from '@gatehouse/testing/fake-cluster';
import { freePort } from '@gatehouse/testing/free-port';
import { type ServerProcess, startServerProcess } from '@gatehouse/testing/server-process';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { GetDestination, Update } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import { PortSpec, Server } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { ClusterStorySource } from '../services/cluster-source.ts';

const skip =
  platform !== 'linux' || getuid?.() !== 0
    ? 'an image is made of the libraries of a Linux machine, and root unpacks it'
    : false;

const run = promisify(execFile);
const userId = 65_532;

const dockerfile = new URL('../../deploy/Dockerfile', import.meta.url);

/** Unpacks the image as a runtime would: the layers that its manifest names, in their order. Returns its configuration. */
const unpack = async (archive: string, into: string) => {
  const layout = `${into}.layout`;
  await Promise.all([mkdir(layout), mkdir(into)]);
  await run('tar', ['-C', layout, '-xf', archive]);
  const blob = (digest: string): string => join(layout, 'blobs', digest.replace(':', '/'));
  const json = async (file: string) => JSON.parse(await readFile(file, 'utf8'));
  const { manifests } = await json(join(layout, 'index.json'));
  const { config, layers } = await json(blob(manifests[0].digest));
  for (const { digest } of layers) await run('tar', ['-C', into, '-xzf', blob(digest)]);
  return { name: manifests[0].annotations['io.containerd.image.name'], ...(await json(blob(config.digest))) };
};

/** In a mount namespace of its own: the tree read-only, `state` in it at its own path, as the image's user. */
const inTree =
  'mount --bind "$0" "$0" && mount --bind "$1" "$0$1" && mount -o remount,bind,ro "$0" && shift && ';
const asUser = `exec chroot --userspec=${userId}:${userId} "$0" "$@"`;

suite('the image', { skip }, () => {
  let packed = '';
  let tree = '';
  let digest = '';
  let image: Awaited<ReturnType<typeof unpack>>;

  before(async (t) => {
    const folder = await temporaryFolder(t as TestContext);
    packed = join(folder, 'packed');
    await pack(packed);
    const archive = await imageOf(packed, 'localhost/gatehouse:test');
    digest = archive.digest;
    await writeFile(join(folder, 'image.tar'), archive.bytes);
    tree = join(folder, 'tree');
    image = await unpack(join(folder, 'image.tar'), tree);
  });

  test('made again from the same checkout it has the same digest', async (t) => {
    const again = join(await temporaryFolder(t), 'packed');
    await pack(again);
    assert.equal((await imageOf(again, 'localhost/gatehouse:another-name')).digest, digest);
  });

  test('runs the services as a user without rights, and holds no shell', async () => {
    const { User, Entrypoint, Env, Labels } = image.config;
    assert.deepEqual(
      { name: image.name, User, Entrypoint, Env, version: Labels['org.opencontainers.image.version'] },
      {
        name: 'localhost/gatehouse:test',
        User: '65532:65532',
        Entrypoint: ['/usr/local/bin/node', '--max-semi-space-size=4', '/gatehouse/serve.mjs'],
        Env: [
          'PATH=/usr/local/bin',
          'NODE_ENV=production',
          'NODE_COMPILE_CACHE=/gatehouse/compiled',
          'NODE_COMPILE_CACHE_PORTABLE=1',
        ],
        version: '0.1.0',
      },
    );
    assert.deepEqual(await readdir(join(tree, 'usr/local/bin')), ['node']);
    assert.deepEqual(
      (await readdir(tree)).filter((name) => /bin/.test(name)),
      [],
    );
  });

  test('of the Dockerfile does the same as the same user', async () => {
    const text = await readFile(dockerfile, 'utf8');
    const last = text.slice(text.lastIndexOf('\nFROM '));
    const { User, Entrypoint, Env } = image.config;
    assert.match(last, new RegExp(`^USER ${User}$`, 'm'));
    assert.equal(/^ENV (.*)$/m.exec(last)?.[1], Env.slice(1).join(' '));
    // Compiled with the options that it runs with, or the code is not used.
    assert.ok(last.includes(`node ${Entrypoint.slice(1).join(' ')} $name`));
    assert.deepEqual(JSON.parse(/^ENTRYPOINT (.*)$/m.exec(last)?.[1] ?? ''), Entrypoint);
    assert.match(last, /^COPY --from=build \S+\/dist\/gatehouse \/gatehouse$/m);
  });

  test('holds what V8 made of each module, and it is used where nobody can write', async () => {
    for (const name of serviceNames) {
      const [node, ...args] = image.config.Entrypoint;
      const env = { ...Object.fromEntries(image.config.Env.map((one: string) => one.split('='))) };
      const ended = await run(
        'unshare',
        [
          '-m',
          'sh',
          '-c',
          `mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && ${asUser}`,
          tree,
          node,
          ...args,
          name,
        ],
        {
          env: {
            ...env,
            PATH: process.env.PATH,
            NODE_DEBUG_NATIVE: 'COMPILE_CACHE',
            GATEHOUSE_LOG_LEVEL: 'x',
          },
        },
      ).catch((error: { readonly stdout: string; readonly stderr: string }) => error);
      const said = `${ended.stdout}${ended.stderr}`;
      const read = said.split('\n').filter((line) => line.includes('V8 code cache for '));
      assert.ok(read.length > 20, said.slice(0, 2_000));
      assert.deepEqual(
        read.filter((line) => !line.includes(' was accepted')),
        [],
      );
    }
  });

  test('runs each service on a read-only file system, and proxies and people are answered', async (t) => {
    const mesh = await startMesh(t, tree);
    for (const service of serviceNames) {
      const answer = await fetch(`${mesh.adminOf(service)}/v1/health`);
      assert.equal(answer.status, 401, `${service} tells nobody without a token`);
    }
    // That destination and policy are ready says that identity certified them.
    const port = PortSpec.fromPartial({ workload: '{"ns": "demo", "pod": "backend-0"}', port: 8080 });
    const method = '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort';
    const told = await mesh.first('policy', method, PortSpec.encode(port).finish());
    assert.deepEqual(Server.decode(told).authorizations, []);
    const request = GetDestination.fromPartial({ path: 'backend.demo.svc.cluster.local:8080' });
    const get = '/io.linkerd.proxy.destination.Destination/Get';
    const update = Update.decode(
      await mesh.first('destination', get, GetDestination.encode(request).finish()),
    );
    assert.equal(update.update?.$case, 'add');
  });
});

/** The three services as containers of the image would be, on an API server of the test's. */
const startMesh = async (t: TestContext, tree: string) => {
  const folder = await temporaryFolder(t);
  const cluster = await openFakeCluster();
  t.after(() => cluster[Symbol.asyncDispose]());
  const state = stateDirAt(join(folder, 'state'));
  await mkdir(join(tree, state.root), { recursive: true });
  const source = await ClusterStorySource.open(cluster, state);
  await source.apply('demo.yaml');
  await run('chown', ['-R', `${userId}:${userId}`, state.root]);

  const addresses = new Map<string, string>();
  for (const name of serviceNames.flatMap((service) => [`${service} grpc`, `${service} admin`]))
    addresses.set(name, `127.0.0.1:${await freePort()}`);
  const at = (name: string): string => addresses.get(name) ?? '';
  for (const service of serviceNames) {
    const log = join(folder, `${service}.log`);
    const process = startServerProcess('unshare', {
      args: [
        ...['--mount', '--propagation', 'private', 'sh', '-c', inTree + asUser, tree, state.root],
        ...['/usr/local/bin/node', '/gatehouse/serve.mjs', service],
      ],
      log,
      env: {
        ...source.settingsOf(service),
        GATEHOUSE_GRPC_ADDR: at(`${service} grpc`),
        GATEHOUSE_GRPC_TLS: 'always',
        GATEHOUSE_ADMIN_ADDR: at(`${service} admin`),
        ...(service === 'identity' ? {} : { GATEHOUSE_IDENTITY_ADDR: at('identity grpc') }),
      },
    });
    t.after(() => process.stop());
    await untilReady(process, `http://${at(`${service} admin`)}/ready`);
  }
  const trustAnchors = await readFile(source.trustAnchors, 'utf8');
  return {
    adminOf: (service: ServiceName): string => `http://${at(`${service} admin`)}`,
    first: (service: ServiceName, method: string, request: Uint8Array): Promise<Uint8Array> => {
      const serverName = `${accountOf(service)}.gatehouse.serviceaccount.identity.gatehouse.cluster.local`;
      const [host = '', port] = at(`${service} grpc`).split(':');
      const client = new GrpcClient({
        address: { host, port: Number(port) },
        security: { serverName, trustAnchors },
      });
      t.after(() => client.close());
      const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
      client.serverStream(method, request, { onMessage: resolve, onEnd: reject });
      return promise;
    },
  };
};

const untilReady = async (process: ServerProcess, url: string): Promise<void> => {
  for (;;) {
    if (process.ended()) throw new Error(await process.lastWords('ended'));
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(50);
  }
};
