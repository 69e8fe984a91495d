// A spec as it was enforced: its canonical text, readable part by part, and exactly as it is hashed. Checks in this
// browser that the text is the one its digest names.
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';
import { Tab, TabList, TabPanel, TabPanels, Tabs } from 'react-aria-components/Tabs';
import type { Json } from '../../../src/step/types.ts';
import { specQuery } from '../api/queries.ts';
import { CopyButton } from '../ui/copy-button.tsx';
import { JsonView } from '../ui/json-view.tsx';
import { ErrorNotice } from '../ui/notice.tsx';
import { useTitle } from '../ui/use-title.ts';

export function SpecPage() {
  const { digest } = useParams({ from: '/specs/$digest' });
  const spec = useQuery(specQuery(digest));
  useTitle(spec.data ? `Spec ${spec.data.name}` : 'Spec');
  if (!spec.data) {
    if (spec.failureReason)
      return <ErrorNotice error={spec.failureReason} onRetry={() => void spec.refetch()} />;
    return <div className="spec-page" role="status" aria-label="Loading the spec" />;
  }
  const { name, canonical } = spec.data;
  return (
    <div className="spec-page">
      <header className="spec-head">
        <h1>{name}</h1>
        <p className="spec-digest">
          <code className="whole-digest">{spec.data.digest}</code>
          <CopyButton text={spec.data.digest} label="Spec digest" />
          <DigestCheck digest={spec.data.digest} canonical={canonical} />
        </p>
      </header>
      <Tabs className="tabs">
        <TabList aria-label="Views of the spec" className="tab-list">
          <Tab id="parts" className="tab">
            Part by part
          </Tab>
          <Tab id="text" className="tab">
            Canonical text
          </Tab>
        </TabList>
        <TabPanels>
          <TabPanel id="parts" className="tab-panel">
            <Parts canonical={canonical} />
          </TabPanel>
          <TabPanel id="text" className="tab-panel">
            <p>
              The bytes that are hashed, unchanged <CopyButton text={canonical} label="Canonical text" />
            </p>
            <pre className="canonical">{canonical}</pre>
          </TabPanel>
        </TabPanels>
      </Tabs>
    </div>
  );
}

function DigestCheck({ digest, canonical }: { digest: string; canonical: string }) {
  const check = useQuery({
    queryKey: ['digest-check', digest],
    queryFn: async () => {
      const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(canonical));
      const hex = Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
      return `sha256:${hex}` === digest;
    },
    // Browsers hash only in secure contexts: loopback and HTTPS.
    enabled: window.isSecureContext,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (check.data === undefined) return null;
  return check.data ? (
    <span className="tag">✓ checked in this browser</span>
  ) : (
    <strong className="form-error">This text does not hash to this digest.</strong>
  );
}

/** The top-level keys as sections; what carries ids (rules) becomes one anchor per id, so a decision can link to it. */
function Parts({ canonical }: { canonical: string }) {
  const parts = useMemo(() => partsOf(canonical), [canonical]);
  const hash = decodeURIComponent(window.location.hash.slice(1));
  useEffect(() => {
    if (hash !== '') document.getElementById(hash)?.scrollIntoView({ block: 'start' });
  }, [hash]);
  if (parts === null) return <pre className="canonical">{canonical}</pre>;
  return (
    <>
      {parts.map((part) => (
        <section key={part.key} className="spec-part">
          <h2>{part.key}</h2>
          {part.items ? (
            part.items.map((item) => (
              <section
                key={item.id}
                id={`${part.key.replace(/s$/, '')}-${item.id}`}
                className="spec-item"
                data-target={hash === `${part.key.replace(/s$/, '')}-${item.id}` ? '' : undefined}
              >
                <h3>{item.id}</h3>
                <JsonView value={item.value} />
              </section>
            ))
          ) : (
            <JsonView value={part.value} />
          )}
        </section>
      ))}
    </>
  );
}

interface Part {
  readonly key: string;
  readonly value: Json;
  readonly items: readonly { readonly id: string; readonly value: Json }[] | null;
}

/** Short facts first under one heading, then each list or map; null when the text is not a JSON object. */
function partsOf(canonical: string): readonly Part[] | null {
  let spec: Json;
  try {
    spec = JSON.parse(canonical) as Json;
  } catch {
    return null;
  }
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) return null;
  const entries = Object.entries(spec) as [string, Json][];
  const isFact = ([, value]: [string, Json]): boolean => typeof value !== 'object' || value === null;
  const facts = Object.fromEntries(entries.filter(isFact));
  return [
    { key: 'about', value: facts, items: null },
    ...entries
      .filter((entry) => !isFact(entry))
      .map(([key, value]) => ({ key, value, items: itemsOf(value) })),
  ];
}

function itemsOf(value: Json): Part['items'] {
  if (typeof value !== 'object' || value === null) return null;
  if (!Array.isArray(value)) {
    const entries = Object.entries(value) as [string, Json][];
    return entries.every(([, each]) => typeof each === 'object' && each !== null)
      ? entries.map(([id, each]) => ({ id, value: each }))
      : null;
  }
  const items = (value as readonly Json[]).map((each) => {
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return null;
    const { id, ...rest } = each as { id?: Json };
    return typeof id === 'string' ? { id, value: rest as Json } : null;
  });
  return items.every((item) => item !== null) ? items : null;
}
