// The book of one run: every planned reading with its one final state, and the reason where it failed.
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { App, Button, Drawer, Popconfirm, Segmented, Table } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useClients } from '@/api/clients';
import { errorText, reasonText } from '@/api/errors';
import { useCan } from '@/api/permissions';
import { keys, useMeters } from '@/api/queries';
import { useRequestIds } from '@/api/request_id';
import { PlanBar } from '@/components/PlanBar';
import { Reasons } from '@/components/Reasons';
import { RunTag } from '@/components/RunTag';
import { EmptyState, Loaded } from '@/components/States';
import { Tag, type Tone } from '@/components/Tag';
import { Instant } from '@/components/TimeText';
import { groupCount } from '@/format/decimal';
import { type Run, type RunItem, RunItem_State, Run_State } from '@/gen/voltwell/scheduler/v1/schedule_pb';

const drawerWidth = 680;
const itemsPerPage = 100;

const tones: Record<RunItem_State, Tone> = {
  [RunItem_State.UNSPECIFIED]: 'idle',
  [RunItem_State.PENDING]: 'idle',
  [RunItem_State.LEASED]: 'busy',
  [RunItem_State.STORED]: 'good',
  [RunItem_State.FAILED]: 'bad',
  [RunItem_State.CANCELLED]: 'idle',
  [RunItem_State.SUPERSEDED]: 'idle',
};

function useItems(run: Run, state: RunItem_State) {
  const { schedules } = useClients();
  return useInfiniteQuery({
    // The counts stand in the key: when the run moves on, its book is read again.
    queryKey: [...keys.runItems, run.name, state, String(run.itemsStored + run.itemsFailed)],
    queryFn: ({ pageParam, signal }) =>
      schedules.listRunItems({ run: run.name, state, pageSize: itemsPerPage, pageToken: pageParam }, { signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.nextPageToken || undefined,
    placeholderData: (old) => old,
  });
}

function Items({ run, state }: { run: Run; state: RunItem_State }) {
  const { t } = useTranslation();
  const query = useItems(run, state);
  const meters = useMeters();
  const names = new Map(meters.data?.items.map((meter) => [meter.name, meter.displayName]));
  return (
    <Loaded query={query}>
      {(data) => {
        const items = data.pages.flatMap((page) => page.items);
        if (items.length === 0) return <EmptyState title={t('run.noItems')} />;
        return (
          <>
            <Table<RunItem>
              size="small"
              rowKey="meter"
              dataSource={items}
              pagination={false}
              columns={[
                {
                  title: t('run.meter'),
                  render: (_, item) => (
                    <Link to="/meters" search={{ meter: item.meter }}>
                      {names.get(item.meter) ?? item.meter}
                    </Link>
                  ),
                },
                {
                  title: t('run.state'),
                  render: (_, item) => (
                    <Tag tone={tones[item.state]}>
                      {t(`run.itemStates.${RunItem_State[item.state] as keyof typeof RunItem_State}`)}
                    </Tag>
                  ),
                },
                { title: t('run.reason'), render: (_, item) => reasonText(t, item.reason) || <span className="quiet">–</span> },
                { title: t('run.attempts'), align: 'right', render: (_, item) => <span className="num">{item.attempts}</span> },
                { title: t('run.endTime'), align: 'right', responsive: ['md'], render: (_, item) => <Instant time={item.endTime} /> },
              ]}
            />
            {query.hasNextPage && (
              <Button block style={{ marginTop: 12 }} loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                {t('app.loadMore')}
              </Button>
            )}
          </>
        );
      }}
    </Loaded>
  );
}

function CancelButton({ run }: { run: Run }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const { schedules } = useClients();
  const queryClient = useQueryClient();
  const requestIds = useRequestIds();
  const allowed = useCan('schedule.run');
  const cancel = useMutation({
    mutationFn: () => schedules.cancelRun({ requestId: requestIds.idFor(run.name), name: run.name }),
    onSuccess: (answer) => {
      void message.success(t('run.cancelled', { n: groupCount(answer.itemsCancelled) }));
      void queryClient.invalidateQueries({ queryKey: keys.runs });
      void queryClient.invalidateQueries({ queryKey: keys.runItems });
    },
    onError: (error) => void message.error(errorText(t, error)),
  });
  if (!allowed || (run.state !== Run_State.PLANNING && run.state !== Run_State.RUNNING)) return null;
  return (
    <Popconfirm title={t('run.cancelConfirm')} okText={t('run.cancel')} cancelText={t('app.close')} onConfirm={() => cancel.mutate()}>
      <Button danger loading={cancel.isPending}>
        {t('run.cancel')}
      </Button>
    </Popconfirm>
  );
}

function Content({ run }: { run: Run }) {
  const { t } = useTranslation();
  const [state, setState] = useState(run.itemsFailed > 0n ? RunItem_State.FAILED : RunItem_State.UNSPECIFIED);
  const filters = [RunItem_State.UNSPECIFIED, RunItem_State.STORED, RunItem_State.FAILED, RunItem_State.PENDING] as const;
  return (
    <>
      <PlanBar run={run} />
      <div className="card-line" style={{ margin: '12px 0 22px' }}>
        <Reasons failures={run.failures} most={6} />
        <CancelButton run={run} />
      </div>
      <section>
        <header className="card-line" style={{ marginBottom: 10, flexWrap: 'wrap' }}>
          <h2 style={{ fontSize: 14 }}>{t('run.items')}</h2>
          <Segmented
            size="small"
            value={state}
            onChange={setState}
            options={filters.map((value) => ({
              value,
              label:
                value === RunItem_State.UNSPECIFIED
                  ? t('app.all')
                  : t(`run.itemStates.${RunItem_State[value] as keyof typeof RunItem_State}`),
            }))}
          />
        </header>
        <Items run={run} state={state} />
      </section>
    </>
  );
}

interface Props {
  name: string | undefined;
  run: Run | undefined;
  nameOf: (schedule: string) => string;
  close: () => void;
}

export function RunDrawer({ name, run, nameOf, close }: Props) {
  const { t } = useTranslation();
  return (
    <Drawer
      open={name !== undefined}
      onClose={close}
      size={drawerWidth}
      destroyOnHidden
      title={
        run ? (
          <>
            {nameOf(run.schedule)}{' '}
            <span className="quiet" style={{ fontWeight: 400 }}>
              <Instant time={run.fireTime} />
            </span>
          </>
        ) : (
          t('run.title')
        )
      }
      extra={run && <RunTag run={run} />}
    >
      {run ? <Content key={run.name} run={run} /> : <EmptyState title={t('run.noItems')} />}
    </Drawer>
  );
}
