// The OpenTelemetry span a step came from, as it arrived: attributes, events and resource, nothing interpreted.
import type { Span } from '../../../../src/engine/types.ts';
import type { Json, JsonObject } from '../../../../src/step/types.ts';
import { formatDuration, plural } from '../../format.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { FoldText } from '../../ui/fold-text.tsx';
import { Section } from './section.tsx';

const STATUS = ['unset', 'ok', 'error'];

export function RawSpan({ span }: { span: Span }) {
  const durationMs = Number(BigInt(span.endNs) - BigInt(span.startNs)) / 1e6;
  const status = STATUS[span.status.code] ?? String(span.status.code);
  return (
    <Section title="Raw span" aside={<CopyButton text={JSON.stringify(span, null, 2)} label="Span" />}>
      <Table
        caption="Span"
        rows={{
          name: span.name,
          'read as': span.dialect,
          duration: formatDuration(durationMs),
          status: span.status.message ? `${status}: ${span.status.message}` : status,
          'trace id': span.traceId,
          'span id': span.spanId,
          ...(span.parentSpanId ? { 'parent span id': span.parentSpanId } : {}),
          scope: `${span.scope.name} ${span.scope.version}`.trim(),
        }}
        open
      />
      <Table caption="Attributes" rows={span.attributes} open />
      {span.events.map((event, i) => (
        <Table
          // biome-ignore lint/suspicious/noArrayIndexKey: events of a span are an ordered list that never changes
          key={i}
          caption={`Event ${event.name}`}
          rows={{
            at: `+${formatDuration(Number(BigInt(event.timeNs) - BigInt(span.startNs)) / 1e6)}`,
            ...event.attributes,
          }}
        />
      ))}
      <Table caption="Resource" rows={span.resource} />
    </Section>
  );
}

function Table({ caption, rows, open }: { caption: string; rows: JsonObject; open?: boolean }) {
  const entries = Object.entries(rows);
  if (entries.length === 0) return null;
  return (
    <details className="span-table" open={open}>
      <summary>
        {caption} <span className="json-size">{plural(entries.length, 'field')}</span>
      </summary>
      <table>
        <tbody>
          {entries.map(([key, value]) => (
            <tr key={key}>
              <th scope="row">{key}</th>
              <td>
                <FoldText text={textOf(value)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
