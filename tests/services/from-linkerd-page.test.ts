import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { claimLabel } from '@gatehouse/core/mesh/injection';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { controlPlane } from '@gatehouse/manifests/objects/control-plane';
import { injectorName } from '@gatehouse/manifests/objects/injector';
import { issuerName, trustRootsName } from '@gatehouse/manifests/objects/trust';
import { allValues, highlyAvailable } from '@gatehouse/manifests/values/value-fields';
import { loadYaml } from '@gatehouse/platform/kube/directory/kubernetes-yaml';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { runToEnd } from '../../cli/testing/run-cli.ts';

const root = join(import.meta.dirname, '..', '..');
const page = await readFile(join(root, 'docs', 'from-linkerd.md'), 'utf8');

/** The commands of the page's blocks, without what they are piped into. */
const commands = [...page.matchAll(/^ *```sh\n([\s\S]*?)```/gm)]
  .flatMap(([, block = '']) => block.replaceAll(/\\\n/g, ' ').split('\n'))
  .map((line) => (line.split('|')[0] ?? '').trim().split(/ +/))
  .filter(([program]) => program === 'gatehouse')
  .map(([, ...args]) => args);

/** The cells of the rows whose first cell begins so. */
const rowsOf = (begins: string): readonly (readonly string[])[] =>
  page
    .split('\n')
    .filter((line) => line.startsWith(`| ${begins}`))
    .map((line) => line.split('|').map((cell) => cell.trim()));

suite('what docs/from-linkerd.md says', () => {
  test('of names and defaults is what is installed', () => {
    for (const { headless } of controlPlane) assert.ok(page.includes(`\`${headless}\``), headless);
    for (const name of [trustRootsName, issuerName, injectorName])
      assert.ok(page.includes(`\`${name}\``), name);
    const fallback = (path: string): unknown =>
      allValues.find((value) => value.path === path)?.field.fallback;
    const ours = (begins: string): string => rowsOf(begins)[0]?.[3] ?? '';
    assert.equal(ours('namespace of the control plane'), `\`${fallback('namespace')}\``);
    assert.equal(ours('default of ports'), `\`${fallback('defaultInboundPolicy')}\``);
    assert.equal(ours('replicas'), `${fallback('replicas')}, with HA ${highlyAvailable.replicas}`);
    assert.ok(page.includes(`${claimLabel}: ${fallback('namespace')}`));
  });

  test('of its own commands are commands', async () => {
    const named = [...rowsOf('`').flatMap((cells) => cells[2] ?? '')].flatMap((cell) =>
      [...cell.matchAll(/`([a-z-]+)[^`]*`/g)].flatMap(([, name = '']) => (/^-/.test(name) ? [] : [name])),
    );
    assert.ok(named.length > 8, `${named}`);
    const { out } = await runToEnd(['--help']);
    const isCommand = (name: string): boolean => new RegExp(`^ +${name}\\b`, 'm').test(out);
    // The second column of other tables names no commands.
    const table = page.slice(page.indexOf('### Commands'), page.indexOf('## Moving'));
    const inTable = named.filter((name) => table.includes(`\`${name}`));
    assert.deepEqual(
      inTable.filter((name) => !isCommand(name)),
      [],
    );
    assert.ok(commands.length > 8 && commands.every(([name = '']) => isCommand(name)), `${commands}`);
  });

  test('of the contract that plays the move is there', async () => {
    const [, file = ''] = page.match(/\]\(\.\.\/(tests\/services\/beside-linkerd-contract\.ts)\)/) ?? [];
    const contract = await readFile(join(root, file), 'utf8');
    for (const where of ['fake-cluster', 'cluster'])
      assert.ok(await readFile(join(root, `tests/services/beside-linkerd.${where}.test.ts`), 'utf8'));
    for (const [, set = ''] of page.matchAll(
      /--set (injector\.namespaces=claimed|defaultInboundPolicy=all-\w+)/g,
    ))
      assert.ok(contract.includes(`'${set}'`), set);
  });

  test('its installation and the upgrade at its end are accepted, and nothing of the time beside Linkerd is left', async (t) => {
    const folder = await temporaryFolder(t);
    const api = await startFakeApiServer({ crds: [] });
    t.after(() => api.stop());
    const kubeconfig = join(folder, 'kubeconfig');
    await api.kubeconfig(kubeconfig);
    const objectsOf = async (args: readonly string[]): Promise<readonly WireObject[]> => {
      const { code, out, err } = await runToEnd(args, { env: { KUBECONFIG: kubeconfig } });
      assert.equal(code, 0, `${args.join(' ')}: ${err}`);
      const loaded = loadYaml(out);
      assert.ok(loaded.ok);
      return loaded.value as readonly WireObject[];
    };
    const install = commands.find(([name]) => name === 'install') ?? [];
    const upgrade = commands.find(([name]) => name === 'upgrade') ?? [];
    const given = (objects: readonly WireObject[]): unknown => {
      const { data } =
        objects.find(({ metadata }) => (metadata as WireObject).name === 'gatehouse-config') ?? {};
      return JSON.parse((data as Readonly<Record<string, string>>)['values.json'] ?? '');
    };
    const first = await objectsOf(install);
    api.put(...first);
    assert.deepEqual(given(first), {
      injector: { namespaces: 'claimed' },
      defaultInboundPolicy: 'all-unauthenticated',
      destination: { env: { GATEHOUSE_EXTERNAL_SLICES: 'leave' } },
    });
    assert.deepEqual(given(await objectsOf(upgrade)), {
      defaultInboundPolicy: 'all-unauthenticated',
      destination: { env: {} },
    });
  });
});
