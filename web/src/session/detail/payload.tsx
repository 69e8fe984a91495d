// What the step said: arguments (or what a transform made of them), content, result, error, labels, tokens.
import type { Json, JsonObject, Step, Usage } from '../../../../src/step/types.ts';
import { type Change, diffJson } from '../../diff.ts';
import { formatCount, revealHidden } from '../../format.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { FoldText } from '../../ui/fold-text.tsx';
import { JsonView } from '../../ui/json-view.tsx';
import { Section } from './section.tsx';

export function Payload({ step, transformed }: { step: Step; transformed: JsonObject | undefined }) {
  return (
    <>
      {step.error && (
        <Section title="Error">
          <FoldText
            text={step.error.type ? `${step.error.type}: ${step.error.message}` : step.error.message}
          />
        </Section>
      )}
      {transformed ? (
        <Section title="Arguments, changed" aside={<CopyJson value={transformed} label="Arguments as run" />}>
          <Diff changes={diffJson(step.args ?? {}, transformed)} />
        </Section>
      ) : (
        step.args && (
          <Section title="Arguments" aside={<CopyJson value={step.args} label="Arguments" />}>
            <JsonView value={step.args} />
          </Section>
        )
      )}
      {step.content !== undefined && (
        <Section title="Content" aside={<CopyButton text={step.content} label="Content" />}>
          <FoldText text={step.content} />
        </Section>
      )}
      {step.result !== undefined && (
        <Section title="Result" aside={<CopyJson value={step.result} label="Result" />}>
          <JsonView value={step.result} />
        </Section>
      )}
      {step.attributes && (
        <Section title="Attributes" aside={<CopyJson value={step.attributes} label="Attributes" />}>
          <JsonView value={step.attributes} />
        </Section>
      )}
      {step.labels && step.labels.length > 0 && (
        <Section title="Labels">
          <p className="tags">
            {step.labels.map((label) => (
              <span className="tag" key={label}>
                {label}
              </span>
            ))}
          </p>
        </Section>
      )}
      {step.usage && <Tokens usage={step.usage} />}
    </>
  );
}

function CopyJson({ value, label }: { value: Json; label: string }) {
  return <CopyButton text={JSON.stringify(value, null, 2)} label={label} />;
}

/** Proposed against run, a line per leaf; sign and word carry the meaning, colour only helps. */
function Diff({ changes }: { changes: readonly Change[] }) {
  return (
    <ul className="diff">
      {changes.map((change) => (
        <li key={change.path} data-change={change.kind}>
          <span className="json-key">{change.path}</span>
          {change.kind === 'same' && <code>{show(change.value)}</code>}
          {(change.kind === 'removed' || change.kind === 'changed') && (
            <del>
              <span className="diff-sign">− proposed </span>
              {show(change.before)}
            </del>
          )}
          {(change.kind === 'added' || change.kind === 'changed') && (
            <ins>
              <span className="diff-sign">+ run </span>
              {show(change.after)}
            </ins>
          )}
        </li>
      ))}
    </ul>
  );
}

function show(value: Json): string {
  return revealHidden(typeof value === 'string' ? value : JSON.stringify(value));
}

const BUCKETS: readonly (readonly [keyof Usage, string])[] = [
  ['inputTokens', 'input'],
  ['cacheReadTokens', 'cache read'],
  ['cacheWriteTokens', 'cache write'],
  ['outputTokens', 'output'],
  ['reasoningTokens', 'reasoning'],
];

function Tokens({ usage }: { usage: Usage }) {
  return (
    <Section title="Tokens">
      <dl className="pairs numeric-pairs">
        {BUCKETS.filter(([key]) => usage[key] !== undefined).map(([key, name]) => (
          <div key={key}>
            <dt>{name}</dt>
            <dd>{formatCount(usage[key] ?? 0)}</dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}
