import type { Row } from '@gatehouse/platform/grpc/latest-stream';
import type { Said } from '@gatehouse/platform/service/open-streams';
import { localityOf, type ZoneLocality } from '../core/endpoints/endpoint.ts';
import type { ClientPlace } from '../core/endpoints/filter.ts';
import type { Profile } from '../core/profile/profile.ts';
import { encodeProfile } from './encode-profile.ts';
import { hashedOnDemand } from './hashed-on-demand.ts';

/** An encoded profile. */
export interface ProfileRow extends Row {
  readonly said: Said;
}

/** Encodes each profile once for all streams that are sent it. */
export class Profiles {
  readonly #clusterDomain: string;
  readonly #rows = new WeakMap<Profile, Map<ZoneLocality, ProfileRow>>();

  constructor(clusterDomain: string) {
    this.#clusterDomain = clusterDomain;
  }

  rowOf(profile: Profile, client: ClientPlace): ProfileRow {
    const zone = profile.kind === 'endpoint' ? profile.endpoint.place.zone : '';
    const locality = localityOf(zone, client.zone);
    let known = this.#rows.get(profile);
    if (known === undefined) {
      known = new Map();
      this.#rows.set(profile, known);
    }
    let row = known.get(locality);
    if (row === undefined) {
      const bytes = encodeProfile(profile, { locality, clusterDomain: this.#clusterDomain });
      row = { bytes, refresh: true, said: hashedOnDemand(() => bytes) };
      known.set(locality, row);
    }
    return row;
  }
}
