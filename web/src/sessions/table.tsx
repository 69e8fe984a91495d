// The sessions as a dense table: React Aria's Table in its Virtualizer, so a long list costs what is on screen.
import { type ReactNode, useMemo } from 'react';
import { Link } from 'react-aria-components/Link';
import {
  Cell,
  Column,
  Row,
  Table,
  TableBody,
  TableHeader,
  TableLoadMoreItem,
} from 'react-aria-components/Table';
import { TableLayout, Virtualizer } from 'react-aria-components/Virtualizer';
import type { SessionSummary } from '../../../src/engine/types.ts';
import { formatCount, revealHidden } from '../format.ts';
import { SessionState } from '../ui/session-state.tsx';
import { Ago } from '../ui/time.tsx';
import { remPx, useMedia } from '../ui/use-media.ts';
import { VerdictShape } from '../ui/verdict.tsx';
import { Zero } from '../ui/zero.tsx';
import { VerdictCounts, VerdictNames } from './counts.tsx';

interface ColumnSpec {
  readonly id: string;
  readonly name: string;
  /** What stands in the head instead of the name, which screen readers still hear. */
  readonly head?: ReactNode;
  /** Width in rem, or a share of what is left. */
  readonly width: number | '1fr' | '2fr';
  readonly numeric?: boolean;
  readonly cell: (session: SessionSummary) => ReactNode;
}

const COLUMNS = {
  state: { id: 'state', name: 'State', width: 5.5, cell: (s) => <SessionState session={s} /> },
  title: { id: 'title', name: 'Session', width: '2fr', cell: (s) => <Title session={s} /> },
  agent: { id: 'agent', name: 'Agent', width: 12, cell: (s) => <AgentName session={s} /> },
  principal: { id: 'principal', name: 'Principal', width: 9, cell: (s) => s.principal ?? <Nothing /> },
  steps: { id: 'steps', name: 'Steps', width: 5, numeric: true, cell: (s) => formatCount(s.steps) },
  verdicts: {
    id: 'verdicts',
    name: 'Verdicts',
    head: <VerdictNames />,
    width: 20,
    cell: (s) => (s.guarded ? <VerdictCounts verdicts={s.verdicts} /> : <Unguarded />),
  },
  marks: {
    id: 'marks',
    name: 'Verdicts',
    width: 13,
    cell: (s) => (s.guarded ? <VerdictCounts verdicts={s.verdicts} omitZero /> : <Unguarded />),
  },
  findings: {
    id: 'findings',
    name: 'Findings',
    width: 5.5,
    numeric: true,
    cell: (s) => <Findings session={s} />,
  },
  started: {
    id: 'started',
    name: 'Started',
    width: 6.5,
    numeric: true,
    cell: (s) => <Ago time={s.startedAt} />,
  },
  last: { id: 'last', name: 'Last step', width: 6.5, numeric: true, cell: (s) => <Ago time={s.lastAt} /> },
  card: { id: 'card', name: 'Session', width: '1fr', cell: (s) => <Card session={s} /> },
} satisfies Record<string, ColumnSpec>;

const WIDE: readonly ColumnSpec[] = [
  COLUMNS.state,
  COLUMNS.title,
  COLUMNS.agent,
  COLUMNS.principal,
  COLUMNS.steps,
  COLUMNS.verdicts,
  COLUMNS.findings,
  COLUMNS.started,
  COLUMNS.last,
];
const MEDIUM: readonly ColumnSpec[] = [
  COLUMNS.state,
  COLUMNS.title,
  COLUMNS.agent,
  COLUMNS.marks,
  COLUMNS.findings,
  COLUMNS.last,
];
const NARROW: readonly ColumnSpec[] = [COLUMNS.card];

export function SessionsTable(props: {
  sessions: readonly SessionSummary[];
  isLoadingMore: boolean;
  onLoadMore: () => void;
  onOpen: (id: string) => void;
}) {
  const wide = useMedia('(min-width: 80rem)');
  const medium = useMedia('(min-width: 56rem)');
  const columns = wide ? WIDE : medium ? MEDIUM : NARROW;
  const narrow = columns === NARROW;
  const layout = useMemo(
    () => ({ rowHeight: remPx(narrow ? 5.5 : 2), headingHeight: remPx(2), loaderHeight: remPx(2) }),
    [narrow],
  );
  return (
    <Virtualizer layout={TableLayout} layoutOptions={layout}>
      <Table
        key={columns.length}
        className="table"
        aria-label="Sessions"
        data-scroll-restoration-id="sessions"
        onRowAction={(key) => props.onOpen(String(key))}
      >
        <TableHeader>
          {columns.map((column) => (
            <Column
              key={column.id}
              id={column.id}
              isRowHeader={column.id === 'title' || column.id === 'card'}
              width={typeof column.width === 'number' ? remPx(column.width) : column.width}
              className={cellClass(column, columns)}
            >
              {column.head ? (
                <>
                  <span className="visually-hidden">{column.name}</span>
                  {column.head}
                </>
              ) : (
                column.name
              )}
            </Column>
          ))}
        </TableHeader>
        <TableBody>
          {props.sessions.map((session) => (
            <Row key={session.id} id={session.id} className="row" textValue={session.title ?? session.id}>
              {columns.map((column) => (
                <Cell key={column.id} className={cellClass(column, columns)}>
                  {column.cell(session)}
                </Cell>
              ))}
            </Row>
          ))}
          <TableLoadMoreItem
            onLoadMore={props.onLoadMore}
            isLoading={props.isLoadingMore}
            className="load-more"
          >
            Loading more sessions
          </TableLoadMoreItem>
        </TableBody>
      </Table>
    </Virtualizer>
  );
}

function cellClass(column: ColumnSpec, columns: readonly ColumnSpec[]): string {
  return `cell${column.numeric ? ' numeric' : ''}${column === columns.at(-1) ? ' cell-last' : ''}`;
}

function Title({ session }: { session: SessionSummary }) {
  return (
    <Link className="row-link" href={`/sessions/${encodeURIComponent(session.id)}`}>
      {revealHidden(session.title ?? session.id)}
    </Link>
  );
}

function AgentName({ session: { agent } }: { session: SessionSummary }) {
  return (
    <span className="agent">
      {agent.name} {agent.version && <span className="agent-version">{agent.version}</span>}
    </span>
  );
}

function Findings({ session: { findings } }: { session: SessionSummary }) {
  if (findings === 0) return <Zero />;
  return (
    <span className="badge" data-kind="unguarded">
      <VerdictShape kind="unguarded" />
      {formatCount(findings)}
    </span>
  );
}

function Unguarded() {
  return <span className="state-observed">observed only, nothing decided</span>;
}

function Nothing() {
  return <span className="zero">none</span>;
}

function Card({ session }: { session: SessionSummary }) {
  return (
    <div className="card">
      <Title session={session} />
      <div className="card-line">
        <SessionState session={session} />
        <AgentName session={session} />
        <Ago time={session.lastAt} />
      </div>
      <div className="card-line">
        {session.guarded ? <VerdictCounts verdicts={session.verdicts} omitZero /> : <Unguarded />}
        {session.findings > 0 && <Findings session={session} />}
        <span className="card-steps">{formatCount(session.steps)} steps</span>
      </div>
    </div>
  );
}
