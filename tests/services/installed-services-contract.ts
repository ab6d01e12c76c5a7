import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { makeTrust } from '@gatehouse/identity/ports/issuer/make-ca';
import { renderControlPlane } from '@gatehouse/manifests/render';
import { readShippedRbac } from '@gatehouse/manifests/shipped-rbac';
import { readValues } from '@gatehouse/manifests/values/read-values';
import { accountOf, serviceNames } from '@gatehouse/platform/service/service';
import type { ClusterServer, RealCluster } from '@gatehouse/testing/real-cluster';
import { InstalledControlPlane } from './installed-control-plane.ts';

const namespace = 'mesh-system';
const given = { namespace, trustDomain: 'corp.example', identity: { tokenReviewer: 'jwks' } };

/** The services in a namespace that is not the usual one. Run on the fake API server and on the real one, in RBAC mode. */
export const installedServicesContract = (
  name: string,
  {
    skip = false,
    open,
  }: { readonly skip?: string | false; readonly open: () => Promise<RealCluster<ClusterServer>> },
): void => {
  suite(`what is installed on ${name}`, { skip, timeout: 300_000 }, () => {
    let cluster: RealCluster<ClusterServer>;
    let installed: InstalledControlPlane;

    before(async () => {
      cluster = await open();
      const made = await makeTrust(given.trustDomain, { nowMs: Date.now(), lifetimeMs: 86_400_000 });
      const trust = { anchors: made.root.certificate, issuer: made.issuer };
      const rendered = renderControlPlane({
        ...readValues([given]),
        trust,
        shippedRbac: await readShippedRbac(),
      });
      const objects = rendered.map(({ kind, ...rest }) => ({ kind, ...rest }));
      const needed = /^(?:Namespace|ServiceAccount|(?:Cluster)?Role(?:Binding)?|Deployment)$/;
      for (const object of objects) if (needed.test(object.kind)) await cluster.apply(object);
      installed = await InstalledControlPlane.of(cluster, objects);
    });

    after(async () => {
      await installed?.[Symbol.asyncDispose]();
      await cluster?.[Symbol.asyncDispose]();
    });

    test('each service becomes ready as its own ServiceAccount, and has no reason to complain', async () => {
      for (const service of serviceNames) {
        const started = await installed.start(service);
        assert.equal(
          started.name,
          `${accountOf(service)}.mesh-system.serviceaccount.identity.mesh-system.corp.example`,
        );
      }
      const { log } = installed;
      assert.deepEqual([log.lines('warn'), log.lines('error')], [[], []]);
    });
  });
};
