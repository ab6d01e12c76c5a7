import { Type } from 'typebox';
import { ProfileItem } from './profile-item.ts';
import { EndpointItem } from './rest-items.ts';

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

/** What one client would be told: both methods' answers for one authority. */
export const Resolution = Type.Object({
  target: Type.String(),
  client: Type.Object({ nodeName: Type.String(), zone: Type.String() }),
  get: nullable(
    Type.Object({
      kind: Type.String({ description: 'endpoints, missing or external-name' }),
      endpoints: Type.Array(EndpointItem),
      leftOut: Type.Array(Type.Object({ pod: Type.String(), address: Type.String(), why: Type.String() }), {
        description: 'What the Service selects or lists and this client is not given, at most 100',
        maxItems: 100,
      }),
    }),
  ),
  profile: ProfileItem,
});
export type Resolution = Type.Static<typeof Resolution>;
