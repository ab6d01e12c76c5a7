import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig, type Settings } from './config.ts';
import { leafSettings, sharedSettings, trafficSettings, watchSettings } from './settings.ts';

const settings: Settings = {
  ...sharedSettings({ grpc: 8080, admin: 9990 }),
  ...leafSettings,
  ...trafficSettings,
  ...watchSettings,
};

test('every default can be read, and every setting says what it is for', () => {
  const config: Readonly<Record<string, unknown>> = readConfig(settings, {});
  const entries = Object.entries(settings);
  assert.equal(entries.length, 23);
  for (const [key, { variable, sentence, fallback, absent }] of entries) {
    assert.match(sentence, /^[A-Z`].*\.$/, variable);
    assert.equal(fallback === undefined, absent !== undefined, `${variable} says what its absence means`);
    assert.equal(config[key] === undefined, fallback === undefined, variable);
  }
});

test('no variable is read twice', () => {
  const variables = Object.values(settings).map(({ variable }) => variable);
  assert.equal(new Set(variables).size, variables.length);
});

test('a source is kubernetes or a folder', () => {
  const table = { ...sharedSettings({ grpc: 1, admin: 2 }) };
  const read = (text: string) => readConfig(table, { GATEHOUSE_SOURCE: text }).source;
  assert.deepEqual(read('kubernetes'), { kind: 'kubernetes' });
  assert.deepEqual(read('directory:./manifests:v1'), { kind: 'directory', path: './manifests:v1' });
  for (const wrong of ['', 'directory:', 'Kubernetes', './manifests']) {
    assert.throws(
      () => read(wrong),
      /GATEHOUSE_SOURCE: .* is not a valid source: use kubernetes or directory:PATH/,
    );
  }
});
