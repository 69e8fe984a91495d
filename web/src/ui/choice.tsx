// One of a few values, chosen from a menu: React Aria's Select in our clothes.

import type { ReactNode } from 'react';
import { Button } from 'react-aria-components/Button';
import { Label } from 'react-aria-components/Label';
import { ListBox, ListBoxItem } from 'react-aria-components/ListBox';
import { Popover } from 'react-aria-components/Popover';
import { Select, SelectValue } from 'react-aria-components/Select';

export interface Option {
  readonly id: string;
  readonly text: string;
  readonly mark?: ReactNode;
}

export function Choice(props: {
  label: string;
  options: readonly Option[];
  value: string;
  onChange: (id: string) => void;
  showLabel?: boolean;
}) {
  return (
    <Select
      className="choice field"
      {...(props.showLabel ? {} : { 'aria-label': props.label })}
      value={props.value}
      onChange={(key) => props.onChange(String(key))}
    >
      {props.showLabel && <Label>{props.label}</Label>}
      <Button className="button choice-button">
        <SelectValue />
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M4.5 6.5L8 10l3.5-3.5" />
        </svg>
      </Button>
      <Popover className="popover">
        <ListBox className="menu" items={props.options}>
          {(option) => (
            <ListBoxItem className="menu-item" textValue={option.text}>
              {option.mark}
              {option.text}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </Select>
  );
}
