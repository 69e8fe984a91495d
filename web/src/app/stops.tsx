// Stops in force, on every page, and the way to give and lift one. A stop is for an emergency: one field is needed, and
// the words say whom it stops before it is given.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useEffect, useState } from 'react';
import { Button } from 'react-aria-components/Button';
import { Form } from 'react-aria-components/Form';
import { Input } from 'react-aria-components/Input';
import { Label } from 'react-aria-components/Label';
import { TextField } from 'react-aria-components/TextField';
import type { Stop } from '../../../src/engine/types.ts';
import { ApiError, postJson } from '../api/client.ts';
import { subscribeLive } from '../api/live.ts';
import { stopsQuery } from '../api/queries.ts';
import { formatExact, revealHidden } from '../format.ts';
import { Dialog, Heading, Modal, ModalOverlay } from '../ui/modal.ts';
import { REVIEWER_KEY, remember, remembered } from './theme.ts';

/** Shown before the rest is folded into a number. */
const SHOWN = 3;

export function StopsBanner() {
  const client = useQueryClient();
  const { data } = useQuery(stopsQuery);
  useEffect(
    () =>
      subscribeLive((message) => {
        if (message.type === 'stop' || message.type === 'resumed')
          void client.invalidateQueries({ queryKey: stopsQuery.queryKey });
      }),
    [client],
  );
  const stops = data?.stops ?? [];
  if (stops.length === 0) return null;
  return (
    <section className="stops" aria-label="Stops in force">
      <ul>
        {stops.slice(0, SHOWN).map((stop) => (
          <StopLine key={stop.id} stop={stop} />
        ))}
      </ul>
      {stops.length > SHOWN && <p>and {stops.length - SHOWN} more stops in force</p>}
    </section>
  );
}

function StopLine({ stop }: { stop: Stop }) {
  const client = useQueryClient();
  const [isLifting, setLifting] = useState(false);
  const lift = useMutation({
    mutationFn: (by: string) => postJson<Stop>(`/v1/stops/${encodeURIComponent(stop.id)}/lift`, { by }),
    onSettled: () => client.invalidateQueries({ queryKey: stopsQuery.queryKey }),
  });
  return (
    <li>
      <strong>Stopped: {whomOf(stop)}.</strong> <span dir="auto">{revealHidden(stop.reason)}</span>{' '}
      <span className="stop-by">
        {stop.by}, {formatExact(stop.at)}
      </span>
      <Button className="button" onPress={() => setLifting(true)}>
        Lift…
      </Button>
      {isLifting && (
        <StopDialog
          title={`Let ${whomOf(stop)} go on?`}
          action="Lift the stop"
          error={lift.error}
          isSending={lift.isPending}
          onClose={() => setLifting(false)}
          onSubmit={(by) => lift.mutate(by)}
        />
      )}
    </li>
  );
}

export function StopButton() {
  const client = useQueryClient();
  const [isOpen, setOpen] = useState(false);
  const [agent, setAgent] = useState('');
  const [tool, setTool] = useState('');
  const [reason, setReason] = useState('');
  const give = useMutation({
    mutationFn: (by: string) =>
      postJson<Stop>('/v1/stops', {
        reason: reason.trim(),
        by,
        ...(agent.trim() === '' ? {} : { agent: agent.trim() }),
        ...(tool.trim() === '' ? {} : { tool: tool.trim() }),
      }),
    onSuccess: () => {
      setOpen(false);
      setReason('');
    },
    onSettled: () => client.invalidateQueries({ queryKey: stopsQuery.queryKey }),
  });
  const whom = whomOf({
    agent: agent.trim() || null,
    version: null,
    tool: tool.trim() || null,
    tenant: null,
  });
  return (
    <>
      <Button className="button quiet" onPress={() => setOpen(true)}>
        Stop…
      </Button>
      {isOpen && (
        <StopDialog
          title="Stop agents"
          action={`Stop ${whom}`}
          isDanger
          error={give.error}
          isSending={give.isPending}
          onClose={() => setOpen(false)}
          onSubmit={(by) => give.mutate(by)}
        >
          <p>
            Every step that could be stopped is denied from now on, on every door, until somebody lifts the
            stop.
          </p>
          <TextField className="field" value={agent} onChange={setAgent} maxLength={200}>
            <Label>Agent (name or glob; empty for all)</Label>
            <Input />
          </TextField>
          <TextField className="field" value={tool} onChange={setTool} maxLength={200}>
            <Label>Only calls of this tool (name or glob)</Label>
            <Input />
          </TextField>
          <TextField className="field" isRequired value={reason} onChange={setReason} maxLength={200}>
            <Label>Reason (the agent is told it)</Label>
            <Input />
          </TextField>
        </StopDialog>
      )}
    </>
  );
}

function StopDialog(props: {
  title: string;
  action: string;
  isDanger?: boolean;
  error: Error | null;
  isSending: boolean;
  onClose: () => void;
  onSubmit: (by: string) => void;
  children?: React.ReactNode;
}) {
  const [by, setBy] = useState(() => remembered(REVIEWER_KEY) ?? '');
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    remember(REVIEWER_KEY, by.trim());
    props.onSubmit(by.trim());
  };
  return (
    <ModalOverlay
      className="overlay"
      isOpen
      onOpenChange={(open) => !open && !props.isSending && props.onClose()}
    >
      <Modal className="modal">
        <Dialog className="dialog">
          <Heading slot="title">{props.title}</Heading>
          <Form className="stop-form" onSubmit={submit}>
            {props.children}
            <TextField
              className="field"
              isRequired
              value={by}
              onChange={setBy}
              maxLength={200}
              autoComplete="name"
            >
              <Label>Your name</Label>
              <Input />
            </TextField>
            {props.error && (
              <p className="form-error" role="alert">
                {props.error.message} {props.error instanceof ApiError ? props.error.mend : ''}
              </p>
            )}
            <div className="dialog-actions">
              <Button className="button" onPress={props.onClose} isDisabled={props.isSending}>
                Cancel
              </Button>
              <Button
                type="submit"
                className={props.isDanger ? 'button danger' : 'button primary'}
                isDisabled={props.isSending}
              >
                {props.action}
              </Button>
            </div>
          </Form>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

/** Whom a stop is for, in words. */
function whomOf({
  agent,
  version,
  tool,
  tenant,
}: Pick<Stop, 'agent' | 'version' | 'tool' | 'tenant'>): string {
  const named = [
    ...(agent === null ? [] : [`agent ${agent}`]),
    ...(version === null ? [] : [`version ${version}`]),
    ...(tool === null ? [] : [`tool ${tool}`]),
    ...(tenant === null ? [] : [`tenant ${tenant}`]),
  ];
  return named.length === 0 ? 'everything' : revealHidden(named.join(', '));
}
