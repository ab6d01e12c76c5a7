import assert from 'node:assert/strict';
import { join } from 'node:path';
import { anAuthority, type TestAuthority } from '@gatehouse/dev/certificates';
import { serviceNames } from '../rig/control-plane.ts';
import { eventually } from '../rig/eventually.ts';
import { issuerSecret, issuerSubject } from '../rig/issuer-secret.ts';
import { MountedSecret } from '../rig/mounted-secret.ts';
import type { Pod } from '../rig/pod.ts';
import { parseMetrics, total } from '../rig/proxy-metrics.ts';
import type { RealMesh } from '../rig/real-mesh.ts';
import { type Expected, echoed, refused, served } from './expectations.ts';
import { Fixture } from './fixture.ts';
import { allow } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { haveExpired, leafShownBy, leafTimes } from './shown-leaves.ts';
import { callsUnder, oneCallUnder, steadyAccount } from './steady-calls.ts';
import { withSettings } from './with-settings.ts';

/** Every leaf, the services' own too, is renewed within 12 s; an old one that nobody renewed is worth nothing soon. */
const shortLives = { GATEHOUSE_ISSUANCE_LIFETIME: '15s', GATEHOUSE_CLOCK_SKEW: '1s' } as const;
/** Identity looks at its files every 10 s, and a proxy renews its leaf within 12 s; the rest is for a busy machine. */
const takenWithinMs = 60_000;

/** What an operator changes: the issuer's Secret, and the bundle that all three services read. */
class Roots {
  readonly old: TestAuthority = anAuthority({ name: 'the old root' });
  readonly new: TestAuthority = anAuthority({ name: 'the new root' });
  readonly #mesh: RealMesh;
  readonly #issuer: MountedSecret;
  readonly #bundle: MountedSecret;

  private constructor({ mesh, namespace }: Fixture) {
    this.#mesh = mesh;
    this.#issuer = new MountedSecret(join(mesh.state.root, `issuer-of-${namespace}`));
    this.#bundle = new MountedSecret(join(mesh.state.root, `bundle-of-${namespace}`));
  }

  static async of(fixture: Fixture): Promise<Roots> {
    const roots = new Roots(fixture);
    await roots.#bundle.put({ 'ca-bundle.crt': roots.old.pem });
    await roots.#issuer.put(issuerSecret('issuer of the old root', roots.old));
    return roots;
  }

  get both(): string {
    return this.old.pem + this.new.pem;
  }

  /** All three services with these files, as long as `during` lasts. */
  rule(during: () => Promise<string>): Promise<string> {
    const anchors = { GATEHOUSE_TRUST_ANCHORS: join(this.#bundle.path, 'ca-bundle.crt') };
    const identity = { ...shortLives, ...anchors, GATEHOUSE_ISSUER_DIR: this.#issuer.path };
    return withSettings(this.#mesh, { identity, destination: anchors, policy: anchors }, during);
  }

  /** Puts a bundle in place, and waits until identity hands it out. */
  async publish(bundle: string): Promise<void> {
    await this.#bundle.put({ 'ca-bundle.crt': bundle });
    const wanted = rootsIn(bundle);
    await eventually(
      `a bundle of ${wanted}`,
      async () => {
        const known = rootsIn(await this.#mesh.controlPlane.read('identity', '/v1/trust-bundle'));
        return known === wanted ? true : undefined;
      },
      takenWithinMs,
    );
  }

  async swapIssuer(which: 'old' | 'new'): Promise<void> {
    await this.#issuer.put(issuerSecret(`issuer of the ${which} root`, this[which]));
  }

  /** The same with the new root signed by the old one beside it: a proxy that has only the old root finds its way by that. */
  async swapIssuerWithCross(): Promise<void> {
    const { name, key } = this.new;
    const cross = anAuthority({ name, key, issuedBy: this.old });
    const secret = issuerSecret('issuer of the new root', this.new);
    await this.#issuer.put({ ...secret, 'tls.crt': `${secret['tls.crt']}${cross.pem}` });
  }

  async untilServicesShow(which: 'old' | 'new'): Promise<void> {
    for (const service of serviceNames) {
      await eventually(
        `${service} to show a certificate below the ${which} root`,
        async () =>
          (await this.#mesh.controlPlane.shownLeaf(service)).issuer ===
          issuerSubject(`issuer of the ${which} root`)
            ? true
            : undefined,
        takenWithinMs,
      );
    }
  }
}

const rootsIn = (pem: string): number => pem.split('BEGIN CERTIFICATE').length - 1;

const rightOrder = (): Scenario => ({
  part: 'time',
  title:
    'a new root, in the right order (into the bundle, proxies restarted, issuer, old root out, proxies restarted): no call fails at any step',
  run: (mesh, observer) =>
    Fixture.play({ mesh, observer, ports: { http: 8080 } }, async (fixture) => {
      const roots = await Roots.of(fixture);
      return roots.rule(async () => {
        const onlooker = await fixture.pod('onlooker', { meshed: false });
        await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
        const start = async (trustAnchors: string, generation: number): Promise<[Pod, Pod]> => [
          await fixture.pod('backend', {
            name: `backend-${generation}`,
            ports: { http: 8080 },
            trustAnchors,
          }),
          await fixture.pod('frontend', {
            name: `frontend-${generation}`,
            ports: { http: 8080 },
            serviceAccount: `${steadyAccount}-${generation}`,
            trustAnchors,
          }),
        ];
        const steps: string[] = [];
        const [backend0, frontend0] = await start(roots.old.pem, 0);
        await fixture.until(frontend0, fixture.toService(8080), '200');

        let backend1 = backend0;
        let frontend1 = frontend0;
        steps.push(
          await callsUnder(fixture, frontend0, async () => {
            await roots.publish(roots.both);
            [backend1, frontend1] = await start(roots.both, 1);
            await fixture.until(frontend1, fixture.toService(8080), '200');
            await fixture.retire(backend0, [frontend0, frontend1]);
          }),
        );
        await fixture.retire(frontend0, []);

        let frontend2 = frontend1;
        steps.push(
          await callsUnder(fixture, frontend1, async () => {
            await roots.swapIssuer('new');
            await roots.untilServicesShow('new');
            for (const pod of [backend1, frontend1]) {
              await eventually(
                `${pod.name} to show a certificate below the new root`,
                async () =>
                  (await leafShownBy(onlooker, pod)).issuer === issuerSubject('issuer of the new root')
                    ? true
                    : undefined,
                takenWithinMs,
              );
            }
            await roots.publish(roots.new.pem);
            [, frontend2] = await start(roots.new.pem, 2);
            await fixture.until(frontend2, fixture.toService(8080), '200');
            await fixture.retire(backend1, [frontend1, frontend2]);
          }),
        );
        await fixture.retire(frontend1, []);
        steps.push(
          await callsUnder(fixture, frontend2, async () => {
            const intruder = await fixture.pod('intruder', { trustAnchors: roots.new.pem });
            await fixture.expect(intruder, fixture.toService(8080), refused());
          }),
        );
        return steps.join('; then ');
      });
    }),
});

/** What those see that were not told of the new root. */
const cannotConnect: Expected = { client: 'closed', application: 0, proxy: 'no verdict' };

const wrongOrder = (): Scenario => ({
  part: 'time',
  title:
    'a new root, in the wrong order: an issuer that the bundle does not know is refused and costs nothing; with proxies not restarted nobody is renewed, and new connections end with the last leaf',
  run: (mesh, observer) =>
    Fixture.play({ mesh, observer, ports: { http: 8080, tcp: 7000 } }, async (fixture) => {
      const roots = await Roots.of(fixture);
      return roots.rule(async () => {
        const trustAnchors = roots.old.pem;
        const backend = await fixture.pod('backend', { ports: { http: 8080, tcp: 7000 }, trustAnchors });
        const frontend = await fixture.pod('frontend', { trustAnchors });
        await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080, 7000] }));
        const raw = fixture.toService(7000, { speaks: 'tcp' });
        await fixture.until(frontend, raw, 'echoed');

        await roots.swapIssuer('new');
        await eventually(
          'identity to refuse an issuer whose root it does not know',
          async () => {
            const metrics = parseMetrics(await mesh.controlPlane.read('identity', '/metrics'));
            return total(metrics, 'gatehouse_identity_issuer_rejected', {}) === 1 ? true : undefined;
          },
          takenWithinMs,
        );
        const { taken } = await leafTimes(frontend);
        await eventually(
          'the old issuer to go on renewing',
          async () => ((await leafTimes(frontend)).taken > taken ? true : undefined),
          takenWithinMs,
        );
        await fixture.expect(frontend, raw, echoed());

        await roots.publish(roots.both);
        await roots.untilServicesShow('new');
        const stuck = await Promise.all([leafTimes(frontend), leafTimes(backend)]);
        await eventually(
          'the last leaves to expire',
          async () => (haveExpired(stuck) ? true : undefined),
          takenWithinMs,
        );
        const still = await Promise.all([leafTimes(frontend), leafTimes(backend)]);
        observer.check('proxy', () => assert.deepEqual(still, stuck, 'nobody was renewed'));
        await fixture.expect(frontend, raw, cannotConnect);

        // The way back: proxies that know only the old root are served by the old issuer again.
        const since = performance.now();
        await roots.swapIssuer('old');
        await fixture.until(frontend, raw, { outcome: 'echoed', withinMs: takenWithinMs });
        await fixture.expect(frontend, fixture.toService(8080), served());
        return `fixed ${((performance.now() - since) / 1_000).toFixed(1)} s after the old issuer was put back`;
      });
    }),
});

const crossCertificate = (): Scenario => ({
  part: 'time',
  title:
    'a new root signed by the old one as well: proxies that know only the old root are renewed below the new one, and meet proxies that know only the new root',
  run: (mesh, observer) =>
    Fixture.play({ mesh, observer, ports: { http: 8080, tcp: 7000 } }, async (fixture) => {
      const roots = await Roots.of(fixture);
      return roots.rule(async () => {
        const old = { trustAnchors: roots.old.pem };
        const backend = await fixture.pod('backend', { ports: { http: 8080, tcp: 7000 }, ...old });
        const raw = await fixture.pod('frontend', { serviceAccount: 'raw', ...old });
        const onlooker = await fixture.pod('onlooker', { meshed: false });
        await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080, 7000] }));
        const call = fixture.toService(7000, { speaks: 'tcp' });
        await fixture.until(raw, call, 'echoed');
        const calls = await oneCallUnder(fixture, { caller: raw, call, expected: echoed() }, async () => {
          await roots.publish(roots.both);
          await roots.swapIssuerWithCross();
          await roots.untilServicesShow('new');
          await eventually(
            'backend to show a certificate below the new root',
            async () =>
              (await leafShownBy(onlooker, backend)).issuer === issuerSubject('issuer of the new root')
                ? true
                : undefined,
            takenWithinMs,
          );
        });
        // Applications cannot tell raw callers apart, so this one comes when the others have gone.
        const modern = await fixture.pod('modern', {
          labels: { app: 'frontend' },
          trustAnchors: roots.new.pem,
        });
        await fixture.until(modern, fixture.toService(8080), '200');
        await fixture.expect(modern, fixture.toService(8080), served());
        return `${calls} handshakes, none failed`;
      });
    }),
});

export const rootRotations = (): readonly Scenario[] => [rightOrder(), wrongOrder(), crossCertificate()];
