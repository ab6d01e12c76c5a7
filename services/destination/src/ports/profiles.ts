import type { Row } from '@gatehouse/platform/grpc/latest-stream';
import { localityOf, type ZoneLocality } from '../core/endpoints/endpoint.ts';
import type { ClientPlace } from '../core/endpoints/filter.ts';
import type { Profile } from '../core/profile/profile.ts';
import { encodeProfile } from './encode-profile.ts';

/** Encodes each profile once for all streams that are sent it. */
export class Profiles {
  readonly #clusterDomain: string;
  readonly #rows = new WeakMap<Profile, Map<ZoneLocality, Row>>();

  constructor(clusterDomain: string) {
    this.#clusterDomain = clusterDomain;
  }

  rowOf(profile: Profile, client: ClientPlace): Row {
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
      row = { bytes, refresh: true };
      known.set(locality, row);
    }
    return row;
  }
}
