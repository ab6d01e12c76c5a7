import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import {
  type EventNote,
  type EventObject,
  type EventSeries,
  PendingEvents,
  type SendOutcome,
} from '@gatehouse/core/writes/pending-events';
import { limitedLog } from '../../log/limited-log.ts';
import type { Log } from '../../log/log.ts';
import { pause } from '../../process/pause.ts';
import { accountOf, type ServiceName } from '../../service/service.ts';
import type { KubeClient, KubeRequest } from '../client/client.ts';

export type { EventNote } from '@gatehouse/core/writes/pending-events';

/** Tells people what happened where they look first: `kubectl describe`, `kubectl get events`. */
export interface EventRecorder {
  /** Returns at once and never fails; what cannot be told is counted. */
  record(event: EventNote): void;
}

/** Without a cluster there is nobody to tell; anyone who records an Event says it in the log as well. */
export const noEvents: EventRecorder = { record: () => {} };

/** `failed` is tried again, `refused` is not, `dropped` found no room. */
export type EventResult = 'sent' | 'failed' | 'refused' | 'dropped';

export interface KubeEventsOptions {
  readonly client: KubeClient;
  readonly service: ServiceName;
  /** The control plane's: its Events stand there, and concern something there. */
  readonly namespace: string;
  readonly log: Log;
  /** Told what came of each. */
  readonly onResult: (result: EventResult) => void;
  /** How many requests at once, and how many a second then. Default: those of a service that seldom has something to tell. */
  readonly rate?: { readonly burst: number; readonly perSecond: number };
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** Milliseconds on a clock that only goes forward. */
  readonly elapsed?: () => number;
  /** Resolves early when the signal aborts. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The API server cuts nothing: it refuses what is longer. */
const maxNoteBytes = 1024;
const longestSleepMs = 600_000;

/**
 * Writes Events (events.k8s.io/v1) about a service. They regard its Deployment, where `kubectl describe deployment` shows
 * them; where it runs as something else, its ServiceAccount, which its mesh name is made of and which so always exists.
 * Needs create and patch on events of events.k8s.io, and get on its deployment and serviceaccount, in its namespace;
 * without them nothing but the Events is missing.
 */
export class KubeEvents implements EventRecorder {
  readonly #options: KubeEventsOptions;
  readonly #now: () => number;
  readonly #elapsed: () => number;
  readonly #pending: PendingEvents;
  readonly #complain: ReturnType<typeof limitedLog>;
  #regarding: EventObject | undefined;
  #wake = new AbortController();

  constructor(options: KubeEventsOptions) {
    this.#options = options;
    this.#pending = new PendingEvents(options.rate);
    this.#now = options.now ?? Date.now;
    this.#elapsed = options.elapsed ?? (() => performance.now());
    this.#complain = limitedLog((fields, message) => options.log.warn(fields, message), {
      everyMs: 600_000,
      now: this.#elapsed,
    });
  }

  record(event: EventNote): void {
    const moment = { wall: this.#now(), elapsed: this.#elapsed() };
    if (this.#pending.note({ ...event, note: cut(event.note) }, moment)) this.#wake.abort();
    else this.#options.onResult('dropped');
  }

  /** Sends what is recorded until `signal` aborts; what was not sent by then is lost. */
  async run(signal: AbortSignal): Promise<void> {
    const { sleep = pause } = this.#options;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const step = this.#pending.next(this.#elapsed());
      switch (step.kind) {
        case 'send': {
          const outcome = await this.#send(step.series, signal);
          this.#pending.done(step.series, outcome, this.#elapsed());
          break;
        }
        case 'wait':
          await sleep(Math.min(step.ms, longestSleepMs), AbortSignal.any([signal, this.#wake.signal]));
      }
    }
  }

  async #send(series: EventSeries, signal: AbortSignal): Promise<SendOutcome> {
    const { client } = this.#options;
    try {
      const about = series.event.regarding ?? (await this.#service(signal));
      const name = series.name ?? `${about.name}.${randomBytes(8).toString('hex')}`;
      const response = await client.request(this.#requestFor(series, { name, about, signal }));
      const { status } = response;
      // 409: an earlier attempt arrived, though its answer did not.
      if (status === 200 || status === 201 || status === 409) {
        this.#options.onResult('sent');
        return { kind: 'sent', name };
      }
      if (status === 404 && series.name !== undefined) return { kind: 'forgotten' };
      const hint = status === 403 ? '; grant create and patch on events of events.k8s.io' : '';
      const said = response.body.toString().slice(0, 300);
      return this.#failed(
        `the API server answered ${status}${hint}: ${said}`,
        status === 429 || status >= 500 ? 'failed' : 'refused',
      );
    } catch (error) {
      if (signal.aborted) return { kind: 'failed' };
      return this.#failed(error instanceof Error ? error.message : String(error), 'failed');
    }
  }

  async #service(signal: AbortSignal): Promise<EventObject> {
    this.#regarding ??= await this.#find(signal);
    return this.#regarding;
  }

  #failed(why: string, kind: 'failed' | 'refused'): SendOutcome {
    this.#options.onResult(kind);
    this.#complain({}, `an Event was not written: ${why}`);
    return { kind };
  }

  #requestFor(
    { event, count, firstAt, lastAt, name: known }: EventSeries,
    { name, about, signal }: { readonly name: string; readonly about: EventObject; signal: AbortSignal },
  ): KubeRequest {
    const { service } = this.#options;
    const { namespace } = about;
    const path = `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`;
    // A series begins with the second of its kind (API conventions, Event).
    const series = count < 2 ? {} : { series: { count, lastObservedTime: microTime(lastAt) } };
    if (known !== undefined) {
      const contentType = 'application/merge-patch+json';
      return { method: 'PATCH', path: `${path}/${known}`, body: series, contentType, signal };
    }
    const body = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace, name },
      eventTime: microTime(firstAt),
      reportingController: `gatehouse.dev/${service}`,
      reportingInstance: hostname().slice(0, 128),
      ...event,
      regarding: about,
      ...series,
    };
    return { method: 'POST', path, body, signal };
  }

  /** With the uid, without which `kubectl describe` does not show an Event. */
  async #find(signal: AbortSignal): Promise<EventObject> {
    const { client, namespace, service } = this.#options;
    const name = accountOf(service);
    const places = [
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        path: `/apis/apps/v1/namespaces/${namespace}/deployments`,
      },
      { apiVersion: 'v1', kind: 'ServiceAccount', path: `/api/v1/namespaces/${namespace}/serviceaccounts` },
    ] as const;
    for (const { apiVersion, kind, path } of places) {
      const { status, body } = await client.request({ path: `${path}/${name}`, signal });
      if (status !== 200) continue;
      const { metadata } = JSON.parse(body.toString()) as { metadata?: { uid?: string } };
      if (metadata?.uid !== undefined) return { apiVersion, kind, namespace, name, uid: metadata.uid };
    }
    return { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name };
  }
}

/** Whole characters, as many as fit. */
const cut = (note: string): string => {
  if (Buffer.byteLength(note) <= maxNoteBytes) return note;
  const room = Buffer.from(note).subarray(0, maxNoteBytes - Buffer.byteLength('…'));
  return `${new TextDecoder().decode(room).replace(/(?<!\uFFFD)\uFFFD+$/, '')}…`;
};

/** MicroTime: RFC 3339 with exactly six digits. */
const microTime = (epochMs: number): string => new Date(epochMs).toISOString().replace('Z', '000Z');
