/** Every shape of the commands, made from the Rust side by its test `the_bindings_are_current`. */
export type { ApprovalFrame } from './bindings/ApprovalFrame';
export type { ApprovalView } from './bindings/ApprovalView';
export type { BarView } from './bindings/BarView';
export type { DecideError } from './bindings/DecideError';
export type { DecideErrorKind } from './bindings/DecideErrorKind';
export type { Decision } from './bindings/Decision';
export type { Language } from './bindings/Language';
export type { Look } from './bindings/Look';
export type { MainState } from './bindings/MainState';
export type { MainStatus } from './bindings/MainStatus';
export type { OutcomeState } from './bindings/OutcomeState';
export type { Preferences } from './bindings/Preferences';
export type { Recent } from './bindings/Recent';
export type { Remember } from './bindings/Remember';
export type { WarningView } from './bindings/WarningView';
