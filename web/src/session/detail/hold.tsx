// A held step and the people's answer to it. Nothing is sent before the person has seen exactly what they approve.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Button } from 'react-aria-components/Button';
import { Form } from 'react-aria-components/Form';
import { Input } from 'react-aria-components/Input';
import { Label } from 'react-aria-components/Label';
import { TextField } from 'react-aria-components/TextField';
import type { Answer, Hold } from '../../../../src/engine/types.ts';
import { ApiError, postJson } from '../../api/client.ts';
import { sessionQuery } from '../../api/queries.ts';
import { REVIEWER_KEY, remember, remembered } from '../../app/theme.ts';
import { formatDuration, formatExact, revealHidden } from '../../format.ts';
import { Choice } from '../../ui/choice.tsx';
import { useNow } from '../../ui/time.tsx';
import { VerdictShape } from '../../ui/verdict.tsx';
import { ConfirmAnswer } from './confirm.tsx';

const STATE_WORDS: Record<Hold['state'], string> = {
  pending: 'Waiting for an answer',
  approved: 'Approved, not yet run',
  refused: 'Refused',
  expired: 'Expired without an answer',
  used: 'Approved and run, once',
};

export function HoldBox({ hold }: { hold: Hold }) {
  const now = useNow();
  const pending = hold.state === 'pending';
  const left = hold.expiresAt - now;
  return (
    <section className="callout" data-kind={pending ? 'hold' : undefined} aria-label="Hold">
      <h3>
        <VerdictShape kind="hold" /> {STATE_WORDS[hold.state]}
      </h3>
      <p dir="auto">{revealHidden(hold.because)}</p>
      <p className="callout-meta">
        {hold.quorum > 1 ? `${hold.quorum} approvals needed, ` : ''}
        {pending && (left > 0 ? `expires in ${formatDuration(left)}` : 'past its time')}
        {pending && hold.escalation && `, ${escalationWords(hold.escalation, now)}`}
        {!pending && `held ${formatExact(hold.createdAt)}`}
      </p>
      {hold.answers.length > 0 && (
        <ul className="answers">
          {hold.answers.map((answer) => (
            <li key={`${answer.by} ${answer.at}`}>
              <strong>{answer.approve ? 'Approved' : 'Refused'}</strong> by {answer.by} as {answer.role},{' '}
              {formatExact(answer.at)}
              {answer.reason && <q>{answer.reason}</q>}
            </li>
          ))}
        </ul>
      )}
      {pending && <AnswerForm hold={hold} />}
    </section>
  );
}

function escalationWords({ at, to }: NonNullable<Hold['escalation']>, now: number): string {
  const who = to.join(' or ');
  return at > now ? `asks ${who} too in ${formatDuration(at - now)}` : `${who} may answer too`;
}

function AnswerForm({ hold }: { hold: Hold }) {
  const client = useQueryClient();
  const [by, setBy] = useState(() => remembered(REVIEWER_KEY) ?? '');
  const [role, setRole] = useState(hold.by[0] ?? '');
  const [reason, setReason] = useState('');
  const [asked, setAsked] = useState<Answer | null>(null);
  const send = useMutation({
    mutationFn: (answer: Answer) => postJson<Hold>(`/v1/holds/${encodeURIComponent(hold.id)}/answer`, answer),
    onSuccess: () => setAsked(null),
    // Also after a refusal: somebody else may have answered first, and the page should say so.
    onSettled: async () => {
      await client.invalidateQueries({ queryKey: ['steps', hold.session] });
      await client.invalidateQueries({ queryKey: sessionQuery(hold.session).queryKey });
    },
  });
  const ask = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const pressed = (event.nativeEvent as SubmitEvent).submitter;
    const approve = pressed instanceof HTMLButtonElement && pressed.value === 'approve';
    remember(REVIEWER_KEY, by.trim());
    send.reset();
    setAsked({ approve, by: by.trim(), role, ...(reason.trim() === '' ? {} : { reason: reason.trim() }) });
  };
  return (
    <Form className="answer" onSubmit={ask}>
      <TextField className="field" isRequired value={by} onChange={setBy} maxLength={200} autoComplete="name">
        <Label>Your name</Label>
        <Input />
      </TextField>
      {hold.by.length > 1 ? (
        <Choice
          showLabel
          label="Your role"
          value={role}
          onChange={setRole}
          options={hold.by.map((id) => ({ id, text: id }))}
        />
      ) : (
        <TextField className="field" isRequired value={role} onChange={setRole} maxLength={200}>
          <Label>Your role</Label>
          <Input />
        </TextField>
      )}
      <TextField className="field answer-reason" value={reason} onChange={setReason} maxLength={2000}>
        <Label>Reason (kept with the answer)</Label>
        <Input />
      </TextField>
      <div className="answer-actions">
        <Button type="submit" value="approve" className="button primary">
          Approve…
        </Button>
        <Button type="submit" value="refuse" className="button">
          Refuse…
        </Button>
      </div>
      {asked && (
        <ConfirmAnswer
          hold={hold}
          answer={asked}
          isSending={send.isPending}
          error={send.error instanceof ApiError ? send.error : null}
          onConfirm={() => send.mutate(asked)}
          onCancel={() => setAsked(null)}
        />
      )}
    </Form>
  );
}
