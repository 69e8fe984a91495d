// What the list says when it has nothing: how a first session comes here, or how to widen the search.
import { Button } from 'react-aria-components/Button';
import { CopyButton } from '../ui/copy-button.tsx';
import { Notice } from '../ui/notice.tsx';

export function NoSessions() {
  const origin = window.location.origin;
  const decide = `curl ${origin}/v1/sessions -H 'content-type: application/json' -d '{"agent":{"name":"my-agent"}}'`;
  const telemetry = `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://${window.location.hostname}:4318/v1/traces`;
  return (
    <Notice title="No sessions yet">
      <p>They appear here as soon as an agent takes its first step. Two ways to begin:</p>
      <ol>
        <li>
          Guard an agent: open a session, then send each step before it runs.
          <Command text={decide} />
        </li>
        <li>
          Watch an agent that already reports OpenTelemetry: point its exporter here.
          <Command text={telemetry} />
        </li>
      </ol>
    </Notice>
  );
}

function Command({ text }: { text: string }) {
  return (
    <div className="command">
      <code>{text}</code>
      <CopyButton text={text} label="command" />
    </div>
  );
}

export function NoMatch({ onClear }: { onClear: () => void }) {
  return (
    <Notice title="No session matches">
      <p>Nothing recorded fits this search and these filters.</p>
      <Button className="button" onPress={onClear}>
        Clear search and filters
      </Button>
    </Notice>
  );
}
