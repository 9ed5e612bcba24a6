/** Entry of the main window. */
import { mount } from 'svelte';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import { preferences } from './ipc/main';
import Shell from './Shell.svelte';
import { speak } from './words/speak.svelte';

const start = () => mount(Shell, { target: document.body });

preferences().then(({ language }) => speak(language), () => speak('system')).then(start);
