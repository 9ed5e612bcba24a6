/** Entry of the approval window. */
import { mount } from 'svelte';
import './styles/tokens.css';
import './styles/base.css';
import './styles/answers.css';
import './styles/approve.css';
import Approve from './pages/Approve.svelte';

mount(Approve, { target: document.body });
