import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Bypass, bypassOf, unreadableSkips } from './proxy-bypass.ts';

const skipping = (list: string | undefined) =>
  list === undefined ? {} : { 'config.linkerd.io/skip-inbound-ports': list };

describe('a port bypasses the proxy', () => {
  const rows: readonly (readonly [string, string | undefined, number, Bypass | undefined])[] = [
    ['not without the annotation', undefined, 8443, undefined],
    ['not by an empty list', '', 8443, undefined],
    ['by its number', '25,8443', 8443, 'skipped-port'],
    ['with spaces around it', ' 8443 , 25', 8443, 'skipped-port'],
    ['in a range', '9000-9010', 9005, 'skipped-port'],
    ['at the first of a range', '9000-9010', 9000, 'skipped-port'],
    ['at the last of a range', '9000-9010', 9010, 'skipped-port'],
    ['not after a range', '9000-9010', 9011, undefined],
    ['not by the name of a container port', 'metrics', 9100, undefined],
    ['beside an item that cannot be read', 'metrics,9010-9000,70000,8443', 8443, 'skipped-port'],
    ['not by a range that ends before it begins', '9010-9000', 9005, undefined],
    ['not by a list that ends in a comma', '8443,', 9005, undefined],
  ];
  it('covers the table', () => assert.equal(rows.length, 12));
  for (const [title, list, port, expected] of rows) {
    it(title, () => {
      const annotations = skipping(list);
      assert.equal(bypassOf({ hostNetwork: false, annotations }, port), expected);
      // On the node's network nothing is redirected, whatever the annotation says.
      assert.equal(bypassOf({ hostNetwork: true, annotations }, port), 'host-network');
    });
  }
});

it('the items of a list that skip nothing are told as they are written', () => {
  const rows: readonly (readonly [string | undefined, readonly string[]])[] = [
    [undefined, []],
    ['', []],
    ['8443, 9000-9010,', []],
    [' 8443 , 9000-9010,metrics', ['metrics']],
    ['0, 9010-9000,70000,1-2-3,http', ['0', '9010-9000', '70000', '1-2-3', 'http']],
  ];
  assert.equal(rows.length, 5);
  for (const [list, expected] of rows) {
    assert.deepEqual(unreadableSkips(skipping(list)), expected, `${list}`);
  }
});
