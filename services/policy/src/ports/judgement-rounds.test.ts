import assert from 'node:assert/strict';
import { it } from 'node:test';
import { aClock } from '@gatehouse/testing/a-clock';
import {
  aMeshTlsAuthentication,
  aNamespace,
  aNetworkAuthenticationPolicy,
  aPod,
} from '@gatehouse/testing/builders';
import { RecordingLog } from '@gatehouse/testing/recording-log';
import { JudgedMesh } from '../../testing/judged-mesh.ts';
import { JudgementRounds } from './judgement-rounds.ts';

const backend = aPod({ name: 'backend-0', labels: { app: 'backend' } });
const frontend = aPod({ name: 'frontend-0', labels: { app: 'frontend' }, ips: ['10.0.0.7'] });

const following = () => {
  const clock = aClock();
  const log = new RecordingLog();
  const mesh = new JudgedMesh().put(aNamespace(), backend, frontend);
  const busy = { is: false };
  const rounds = new JudgementRounds({ clock, log, judgements: mesh.judgements, isBusy: () => busy.is });
  const heard: string[] = [];
  rounds.follow((changed) => {
    for (const { object, after } of changed) heard.push(`${object.meta.name} ${after?.state}`);
  });
  return { clock, log, mesh, busy, rounds, heard };
};

it('judges what changed at once, and then once a second, however often it changes', () => {
  const { clock, mesh, rounds, heard } = following();
  mesh.put(aNetworkAuthenticationPolicy());
  rounds.wake();
  clock.pass(0);
  assert.deepEqual(heard.splice(0), ['frontend-can-talk-to-backend Enforced']);
  for (let at = 0; at < 9; at += 1) {
    if (at % 2 === 0) mesh.remove(backend);
    else mesh.put(backend);
    rounds.wake();
    clock.pass(100);
  }
  assert.deepEqual(heard, []);
  clock.pass(100);
  assert.deepEqual(heard, ['frontend-can-talk-to-backend MatchesNothing']);
});

it('waits while rows wait, and ends with what owns it', () => {
  const { clock, mesh, rounds, busy, heard } = following();
  busy.is = true;
  mesh.put(aNetworkAuthenticationPolicy());
  rounds.wake();
  clock.pass(500);
  assert.deepEqual(heard, []);
  busy.is = false;
  clock.pass(15);
  assert.equal(heard.length, 1);
  mesh.remove(backend);
  rounds.wake();
  rounds.close();
  clock.pass(5_000);
  assert.equal(heard.length, 1);
});

it('says what an object does not do, and that it does it, once each, and counts by reason and state', () => {
  const { clock, log, mesh, rounds } = following();
  const wrong = aNetworkAuthenticationPolicy({ ports: [{ kind: 'range', first: 81, last: 81 }] });
  const pass = () => {
    rounds.wake();
    clock.pass(1_000);
  };
  mesh.put(aPod({ ...backend.meta, ...backend.spec, ports: [{ name: 'http', port: 8080 }] }), wrong);
  pass();
  mesh.put(aPod({ name: 'stranger' }));
  pass();
  assert.deepEqual(log.lines('warn'), ['No selected pod declares a port 81: they declare 8080 (http).']);
  assert.deepEqual([[...rounds.states], [...rounds.reasons]], [[['MatchesNothing', 1]], [['NoSuchPort', 1]]]);
  mesh.put(aNetworkAuthenticationPolicy());
  pass();
  assert.deepEqual(log.lines('info'), ['the policy object does all that it says']);
  mesh.remove(aNetworkAuthenticationPolicy());
  pass();
  assert.deepEqual([...rounds.states.values(), ...rounds.reasons.values()], [0, 0, 0]);
});

it('an authentication that comes before the policy that refers to it is no reason to warn', () => {
  const { clock, log, mesh, rounds } = following();
  mesh.put(aMeshTlsAuthentication());
  rounds.wake();
  clock.pass(1_000);
  assert.deepEqual([log.lines('warn'), log.lines('info')], [[], ['No AuthorizationPolicy refers to it.']]);
  assert.equal(rounds.reasons.get('NotReferenced'), 1);
});

it('a thousand wrong objects are twenty lines and one that counts the others', () => {
  const { clock, log, mesh, rounds } = following();
  mesh.put(
    ...Array.from({ length: 1_000 }, (_, at) =>
      aNetworkAuthenticationPolicy({ namespace: 'none', name: `p${at}` }),
    ),
  );
  rounds.wake();
  clock.pass(10_000);
  assert.equal(log.lines('warn').length, 21);
  assert.equal(rounds.reasons.get('NoSuchNamespace'), 1_000);
});

it('many objects that come to do what they say are twenty lines, and no warning counts the others', () => {
  const { clock, log, mesh, rounds } = following();
  const policies = (port: number) =>
    Array.from({ length: 30 }, (_, at) =>
      aNetworkAuthenticationPolicy({
        name: `p${at}`,
        ports: [{ kind: 'range', first: port, last: port }],
        rules: [{ paths: [{ kind: 'exact', value: `/${at}` }] }],
      }),
    );
  mesh.put(
    aPod({ ...backend.meta, ...backend.spec, ports: [{ name: 'http', port: 8080 }] }),
    ...policies(81),
  );
  rounds.wake();
  clock.pass(1_000);
  const warned = log.lines('warn');
  assert.deepEqual([warned.length, log.lines('info').length], [21, 0]);
  mesh.put(...policies(8080));
  rounds.wake();
  clock.pass(1_000);
  assert.equal(log.lines('info').length, 20);
  assert.deepEqual(log.lines('warn'), warned);
});
