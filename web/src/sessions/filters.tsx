// What narrows the list of sessions: words, a verdict, an agent. The values live in the address.
import { useEffect, useRef, useState } from 'react';
import { Button } from 'react-aria-components/Button';
import { ComboBox } from 'react-aria-components/ComboBox';
import { Input } from 'react-aria-components/Input';
import { ListBox, ListBoxItem } from 'react-aria-components/ListBox';
import { Popover } from 'react-aria-components/Popover';
import { SearchField } from 'react-aria-components/SearchField';
import { VERDICTS } from '../../../src/monitor/types.ts';
import type { SessionFilter } from '../api/queries.ts';
import { Choice } from '../ui/choice.tsx';
import { VerdictShape } from '../ui/verdict.tsx';

const TYPING_PAUSE_MS = 250;

const VERDICT_OPTIONS = [
  { id: 'any', text: 'Any verdict' },
  ...VERDICTS.map((verdict) => ({
    id: verdict,
    text: `With ${verdict}`,
    mark: <VerdictShape kind={verdict} />,
  })),
];

export function Filters(props: {
  filter: SessionFilter;
  agents: readonly string[];
  onChange: (filter: SessionFilter) => void;
  searchRef: React.RefObject<HTMLInputElement | null>;
}) {
  const { filter, onChange } = props;
  return (
    <search className="filters">
      <SearchText
        value={filter.text ?? ''}
        inputRef={props.searchRef}
        onChange={(text) => onChange({ ...filter, text: text === '' ? undefined : text })}
      />
      <Choice
        label="Verdict"
        options={VERDICT_OPTIONS}
        value={filter.verdict ?? 'any'}
        onChange={(id) => onChange({ ...filter, verdict: id === 'any' ? undefined : id })}
      />
      <AgentField
        agents={props.agents}
        value={filter.agent ?? ''}
        onChange={(agent) => onChange({ ...filter, agent: agent === '' ? undefined : agent })}
      />
    </search>
  );
}

/**
 * What stands in a field: what is being typed. It gives way to the address only when something else than this field
 * changed that, or a slow answer would take letters back from someone still typing.
 */
function useDraft(value: string, onChange: (text: string) => void) {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  useEffect(() => {
    if (value === sent.current) return;
    sent.current = value;
    setText(value);
  }, [value]);
  const send = (next: string): void => {
    sent.current = next.trim();
    onChange(sent.current);
  };
  return { text, setText, send };
}

/** Searches when typing pauses, at once on Enter. */
function SearchText(props: {
  value: string;
  onChange: (text: string) => void;
  inputRef: React.RefObject<HTMLInputElement | null>;
}) {
  const { text, setText, send } = useDraft(props.value, props.onChange);
  const timer = useRef(0);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const change = (next: string): void => {
    setText(next);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => send(next), TYPING_PAUSE_MS);
  };
  const submit = (): void => {
    window.clearTimeout(timer.current);
    send(text);
  };
  return (
    <SearchField
      className="search"
      aria-label="Search sessions"
      value={text}
      onChange={change}
      onSubmit={submit}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="7" cy="7" r="4.25" />
        <path d="M10.25 10.25L13.5 13.5" />
      </svg>
      <Input ref={props.inputRef} placeholder="Search sessions" maxLength={200} />
      <kbd>/</kbd>
      <Button className="icon-button" aria-label="Clear search">
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M4.5 4.5l7 7M11.5 4.5l-7 7" />
        </svg>
      </Button>
    </SearchField>
  );
}

/** Offers the agents seen so far, and takes any name, since the list is loaded page by page. */
function AgentField(props: { agents: readonly string[]; value: string; onChange: (agent: string) => void }) {
  const { text, setText, send } = useDraft(props.value, props.onChange);
  return (
    <ComboBox
      className="combo"
      aria-label="Agent"
      allowsCustomValue
      allowsEmptyCollection={false}
      menuTrigger="focus"
      inputValue={text}
      onInputChange={(next) => {
        setText(next);
        if (next === '' && props.value !== '') send('');
      }}
      onChange={(key) => key !== null && send(String(key))}
      defaultItems={props.agents.map((id) => ({ id }))}
    >
      <Input
        placeholder="Any agent"
        maxLength={200}
        onKeyDown={(event) => event.key === 'Enter' && send(text)}
        onBlur={() => text.trim() !== props.value && send(text)}
      />
      <Button className="icon-button" aria-label="Show agents">
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M4.5 6.5L8 10l3.5-3.5" />
        </svg>
      </Button>
      <Popover className="popover">
        <ListBox className="menu">
          {(agent: { id: string }) => (
            <ListBoxItem className="menu-item" textValue={agent.id}>
              {agent.id}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}
