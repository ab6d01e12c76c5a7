import { sign } from 'node:crypto';
import { adminAccessContract } from '@gatehouse/testing/admin-access-contract';
import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';

const { assets, skip } = realApiServerAssets();

adminAccessContract('a real API server', {
  skip,
  open: async () => {
    const cluster = await RealCluster.start(assets, { authorization: 'RBAC' });
    const { token: masterToken, tokenKey } = cluster.server;
    return {
      cluster,
      masterToken,
      whileAway: (meanwhile) => cluster.server.restart(meanwhile),
      // A good token in everything but its time: the API server itself makes none that expires within ten minutes.
      expiredToken: async (account) => {
        const [header = '', payload = ''] = (await cluster.accountToken(account)).split('.');
        const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
        const hourAgo = Math.floor(Date.now() / 1000) - 3_600;
        const times = { iat: hourAgo - 3_600, nbf: hourAgo - 3_600, exp: hourAgo };
        const expired = Buffer.from(JSON.stringify({ ...claims, ...times })).toString('base64url');
        const signed = `${header}.${expired}`;
        const signature = sign('sha256', Buffer.from(signed), { key: tokenKey, dsaEncoding: 'ieee-p1363' });
        return `${signed}.${signature.toString('base64url')}`;
      },
    };
  },
});
