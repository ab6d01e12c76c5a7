import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closedWarnings } from './closed-warnings.ts';

const problem = { field: 'line 3', found: 'deficient indentation', fix: 'fix the YAML' };

test('what closes a namespace is said with the manifest that cannot be read, and objects are counted', () => {
  const manifests = [
    { path: 'a.yaml', problem, namespaces: 'all' as const },
    { path: 'b.yaml', problem, namespaces: ['demo', 'shop'] },
    { path: 'values.yaml', problem, namespaces: [] },
  ];
  const rejected = new Map([
    ['Server', 1],
    ['HTTPRoute', 0],
    ['NetworkAuthentication', 2],
  ] as const);
  assert.deepEqual(closedWarnings(manifests, rejected), [
    'only what policies grant on whole ports is open everywhere, since a.yaml cannot be read: line 3: deficient indentation: fix the YAML',
    'only what policies grant on whole ports is open in demo, shop, since b.yaml cannot be read: line 3: deficient indentation: fix the YAML',
    'policy objects cannot be read, and what they name is closed (Server: 1, NetworkAuthentication: 2): the log names them',
  ]);
});

test('nothing is said of a mesh in which all can be read, and no more than a few lines of one in which nothing can', () => {
  assert.deepEqual(closedWarnings([], new Map([['Server', 0]])), []);
  const many = Array.from({ length: 1_000 }, (_, n) => ({
    path: `${n}.yaml`,
    problem: { ...problem, found: 'x'.repeat(100_000) },
    namespaces: 'all' as const,
  }));
  const warnings = closedWarnings(many, new Map());
  assert.deepEqual(
    [warnings.length, warnings.at(-1)],
    [11, '990 more manifests cannot be read: see the log'],
  );
  for (const warning of warnings) assert.ok(warning.length < 450, warning);
});
