import { digestOf, type Entry, type Layer, tarOf } from './layer.ts';

export interface ImageConfig {
  readonly architecture: 'amd64' | 'arm64';
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface Archive {
  /** What `ctr images import`, `podman load` and `docker load` read. */
  readonly bytes: Buffer;
  /** Of the image's manifest: what `image: NAME@sha256:…` means. */
  readonly digest: string;
}

/**
 * An image as one file: the OCI image layout (image-spec 1.1, image-layout.md), and beside it the `manifest.json` by which `docker
 * load` knew images before it read the layout. The same input gives the same bytes.
 */
export const ociArchive = async (
  name: string,
  config: ImageConfig,
  layers: readonly Layer[],
): Promise<Archive> => {
  const configuration = json({
    architecture: config.architecture,
    os: 'linux',
    created: epoch,
    config: {
      User: config.user,
      Env: Object.entries(config.env).map(([variable, value]) => `${variable}=${value}`),
      Entrypoint: config.entrypoint,
      WorkingDir: '/',
      Labels: config.labels,
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(() => ({ created: epoch, created_by: 'npm run image' })),
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptor(mediaTypes.config, configuration),
    layers: layers.map(({ gzipped }) => descriptor(mediaTypes.layer, gzipped)),
    annotations: config.labels,
  });
  const index = json({
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [
      {
        ...descriptor(mediaTypes.manifest, manifest),
        platform: { architecture: config.architecture, os: 'linux' },
        // By the first containerd names what it imports, by the second everybody else.
        annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name },
      },
    ],
  });
  const blobs = [configuration, manifest, ...layers.map(({ gzipped }) => gzipped)];
  const dockers = json([
    {
      Config: blobPath(digestOf(configuration)),
      RepoTags: [name],
      Layers: layers.map(({ digest }) => blobPath(digest)),
    },
  ]);
  const entries: readonly Entry[] = [
    { kind: 'file', path: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }) },
    { kind: 'file', path: 'index.json', content: index },
    { kind: 'file', path: 'manifest.json', content: dockers },
    ...blobs.map((content): Entry => ({ kind: 'file', path: blobPath(digestOf(content)), content })),
  ];
  return { bytes: await tarOf(entries), digest: digestOf(manifest) };
};

/** No image has the time it was made, which would be a difference without a reason. */
const epoch = '1970-01-01T00:00:00Z';

const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const descriptor = (mediaType: string, content: Buffer) => ({
  mediaType,
  digest: digestOf(content),
  size: content.length,
});

const blobPath = (digest: string): string => `blobs/${digest.replace(':', '/')}`;
