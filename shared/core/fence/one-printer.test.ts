import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

interface Rule {
  /** The only file that may take such names apart or put them together. */
  readonly owner: string;
  /** A part of a name; a whole name, as an example or a constant has it, is nobody's rule. */
  readonly part: RegExp;
}

const rules: readonly Rule[] = [
  {
    owner: 'shared/core/src/mesh/workload-identity.ts',
    part: /(?<![a-z0-9]\.)serviceaccount\\?\.identity|serviceaccount\\?\.identity(?!\\?\.[a-z0-9])/,
  },
  {
    owner: 'shared/core/src/mesh/service-account-user.ts',
    part: /system:serviceaccount:(?![a-z0-9-]+:[a-z0-9-]+)/,
  },
  {
    owner: 'shared/core/src/mesh/service-authority.ts',
    part: /\}\.svc\.|\bsvc\\?\.\$\{|\[(['"`])svc\1|(['"`])\.svc\.?\2/,
  },
];

/** Lines of code that break a rule, as `file:line`. Comments may show what they like. */
const offences = (file: string, text: string): readonly string[] =>
  text.split('\n').flatMap((line, index) => {
    if (/^\s*(?:\/?\*|\/\/)/.test(line)) return [];
    return rules.some(({ owner, part }) => file !== owner && part.test(line)) ? [`${file}:${index + 1}`] : [];
  });

test('names of workloads, of ServiceAccounts and of Services are read and printed by their one owner', async () => {
  const found: string[] = [];
  const owners = new Set<string>();
  for await (const file of glob('{shared,services,cli,dev,bench}/**/*.ts', {
    cwd: root,
    exclude: ['**/node_modules', '**/gen', '**/testing', '**/*.test.ts'],
  })) {
    const text = await readFile(join(root, file), 'utf8');
    found.push(...offences(file, text));
    if (rules.some(({ owner }) => owner === file)) owners.add(file);
  }
  assert.equal(owners.size, rules.length, 'an owner was moved: say where it is now');
  assert.deepEqual(found, []);
});

test('the rule notices who splits or builds such a name', () => {
  const forbidden = [
    "const suffix = '.serviceaccount.identity.';",
    "  name.includes('.serviceaccount.identity.')",
    `  \`\${account}.\${namespace}.serviceaccount.identity.\${mesh}\``,
    "  identity.replace(/\\.serviceaccount\\.identity\\..*$/s, '');",
    `  \`system:serviceaccount:\${namespace}:\${name}\``,
    `  return \`\${meta.name}.\${meta.namespace}.svc.\${clusterDomain}\`;`,
    "  const suffix = ['svc', ...clusterDomain.split('.')];",
    `  const suffix = \`.svc.\${clusterDomain}\`;`,
  ];
  const allowed = [
    "  identity: 'default.demo.serviceaccount.identity.gatehouse.cluster.local',",
    '/** `{sa}.{ns}.serviceaccount.identity.{mesh}` */',
    "  path: 'backend.demo.svc.cluster.local:80',",
    "  description: 'service.namespace.svc.DOMAIN:port',",
  ];
  assert.deepEqual(
    forbidden.map((line) => offences('cli/src/x.ts', line).length),
    forbidden.map(() => 1),
  );
  assert.deepEqual(
    allowed.map((line) => offences('cli/src/x.ts', line).length),
    allowed.map(() => 0),
  );
  assert.deepEqual([forbidden.length, allowed.length], [8, 4]);
});
