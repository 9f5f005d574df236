// Meters with their latest readings, live. A row opens the meter's drawer; filters and drawer live in the address.
import { SearchOutlined } from '@ant-design/icons';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Button, Input, Pagination, Segmented, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLatest } from '@/api/queries';
import { PageHead } from '@/components/Panel';
import { EmptyState, Loaded } from '@/components/States';
import { useNarrow } from '@/components/useNow';
import { groupCount } from '@/format/decimal';
import { groupByMeter } from './latest';
import { MeterCards } from './MeterCards';
import { MeterDrawer } from './MeterDrawer';
import { MeterTable } from './MeterTable';
import { matches, useMeterRows, type MeterFilter } from './useMeterRows';

const pageSize = 20;

interface FiltersProps {
  filter: MeterFilter;
  collectors: ReturnType<typeof useMeterRows>['collectors'];
  change: (filter: MeterFilter) => void;
}

function Filters({ filter, collectors, change }: FiltersProps) {
  const { t } = useTranslation();
  return (
    <div className="filters">
      <Input
        className="grow"
        name="search"
        aria-label={t('meter.search')}
        placeholder={t('meter.search')}
        prefix={<SearchOutlined aria-hidden />}
        allowClear
        value={filter.q ?? ''}
        onChange={(event) => change({ ...filter, q: event.target.value || undefined })}
      />
      <Select
        style={{ minWidth: 130, flex: '0 1 190px' }}
        aria-label={t('meter.collector')}
        placeholder={t('meter.allCollectors')}
        allowClear
        showSearch={{ optionFilterProp: 'label' }}
        value={filter.collector}
        onChange={(collector: string | undefined) => change({ ...filter, collector })}
        options={collectors.map(({ name, displayName }) => ({ value: name, label: displayName }))}
      />
      <Segmented
        aria-label={t('meter.kind')}
        value={filter.kind ?? 'all'}
        onChange={(kind) => change({ ...filter, kind: kind === 'all' ? undefined : kind })}
        options={[
          { value: 'all', label: t('app.all') },
          { value: 'electricity', label: t('meter.electricity') },
          { value: 'water', label: t('meter.water') },
          { value: 'heat', label: t('meter.heat') },
          { value: 'gas', label: t('meter.gas') },
        ]}
      />
    </div>
  );
}

export function MetersPage() {
  const { t } = useTranslation();
  const { query, rows, collectors } = useMeterRows();
  const { meter: opened, ...filter } = useSearch({ from: '/shell/meters' });
  const navigate = useNavigate({ from: '/meters' });
  const narrow = useNarrow();
  const [page, setPage] = useState(1);
  const found = rows.filter((row) => matches(row, filter));
  const lastPage = Math.max(1, Math.ceil(found.length / pageSize));
  const at = Math.min(page, lastPage);
  const shown = found.slice((at - 1) * pageSize, at * pageSize);
  const latest = useLatest(shown.map(({ meter }) => meter.name));
  const readings = groupByMeter(latest.data ?? []);
  const change = (next: MeterFilter) => {
    setPage(1);
    void navigate({ search: (old) => ({ ...old, ...next }), replace: true });
  };
  const open = (name: string | undefined) => void navigate({ search: (old) => ({ ...old, meter: name }) });
  const List = narrow ? MeterCards : MeterTable;
  return (
    <>
      <PageHead title={t('meter.title')}>
        {query.data && <span className="aside num">{t('meter.count', { n: groupCount(found.length) })}</span>}
      </PageHead>
      <section className="panel">
        <Filters filter={filter} collectors={collectors} change={change} />
        <Loaded query={query} rows={8}>
          {(listing) =>
            shown.length === 0 ? (
              listing.items.length === 0 ? (
                <EmptyState title={t('meter.empty')} hint={t('meter.emptyHint')} />
              ) : (
                <EmptyState
                  title={t('meter.noMatch')}
                  action={
                    <Button onClick={() => change({ q: undefined, kind: undefined, collector: undefined })}>
                      {t('meter.clearFilter')}
                    </Button>
                  }
                />
              )
            ) : (
              <>
                <List rows={shown} readings={readings} open={open} />
                <div className="table-foot">
                  {listing.truncated && <span>{t('app.truncated', { shown: groupCount(listing.items.length) })}</span>}
                  <Pagination
                    size="small"
                    current={at}
                    total={found.length}
                    pageSize={pageSize}
                    showSizeChanger={false}
                    hideOnSinglePage
                    onChange={setPage}
                  />
                </div>
              </>
            )
          }
        </Loaded>
      </section>
      <MeterDrawer name={opened} row={rows.find(({ meter }) => meter.name === opened)} close={() => open(undefined)} />
    </>
  );
}
