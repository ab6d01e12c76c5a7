import accepts from '@fastify/accepts';
import { GatehouseError } from '@gatehouse/core/error';
import type { AdminApp } from '@gatehouse/platform/admin/admin-server';
import { pemOf } from '@gatehouse/platform/tls/material';
import { Type } from 'typebox';
import type { KeptIssuer } from '../issuer/kept-issuer.ts';
import { caFields, printCa } from './ca-item.ts';
import { SpiffeBundle, spiffeBundle } from './spiffe-bundle.ts';

const TrustBundle = Type.Object({
  certificates: Type.Array(Type.Object({ ...caFields, pem: Type.String() })),
});

/** RFC 8555 §9.1; JSON of our own; RFC 7517 §8.5.2, which a SPIFFE bundle is. The first where nobody says. */
const mediaTypes = [
  'application/pem-certificate-chain',
  'application/json',
  'application/jwk-set+json',
] as const;
const [pem, json, jwkSet] = mediaTypes;

const byFormat = { pem, json, spiffe: jwkSet } as const;

export interface TrustBundleParts {
  readonly keeper: { readonly current: KeptIssuer | undefined };
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What everybody in this mesh trusts, in the form that somebody can read. */
export const trustBundleRoute =
  ({ keeper, now }: TrustBundleParts) =>
  (app: AdminApp): void => {
    app.register(accepts);
    app.get(
      '/v1/trust-bundle',
      {
        config: { access: 'mesh' },
        schema: {
          summary:
            'The trust anchors of this mesh: PEM, or as `format` or `Accept` says JSON with their dates, or a SPIFFE bundle',
          querystring: Type.Object({
            format: Type.Optional(
              Type.Union([Type.Literal('pem'), Type.Literal('json'), Type.Literal('spiffe')], {
                description:
                  '`pem`, `json` or `spiffe`; default: what `Accept` likes best of application/pem-certificate-chain, application/json and application/jwk-set+json, else PEM',
              }),
            ),
          }),
          response: {
            200: {
              description: 'The bundle',
              content: {
                [pem]: { schema: Type.String() },
                [json]: { schema: TrustBundle },
                [jwkSet]: { schema: SpiffeBundle },
              },
            },
          },
        },
      },
      async (request, reply) => {
        const { bundle, anchors, sequence } = existing(keeper.current);
        const { format } = request.query;
        const chosen =
          format === undefined ? oneOfOurs(request.accepts().type([...mediaTypes])) : byFormat[format];
        // RFC 9110 §12.5.5: a cache in between must not answer one client with what another asked for.
        reply.header('vary', 'accept').type(chosen);
        switch (chosen) {
          case 'application/pem-certificate-chain':
            return reply.send(bundle);
          case 'application/json':
            return reply.send({
              certificates: anchors.map((anchor) => ({ ...printCa(anchor, now()), pem: pemOf(anchor.der) })),
            });
          case 'application/jwk-set+json':
            return reply.send(spiffeBundle(anchors, sequence));
        }
      },
    );
  };

/** An answer of another kind serves people better than none (RFC 9110 §12.4.1). */
const oneOfOurs = (liked: string | readonly string[] | false): (typeof mediaTypes)[number] =>
  mediaTypes.find((each) => each === liked) ?? pem;

const existing = (kept: KeptIssuer | undefined): KeptIssuer => {
  if (kept !== undefined) return kept;
  throw new GatehouseError('unavailable', 'no issuer with its bundle was accepted yet: /v1/issuer says why');
};
