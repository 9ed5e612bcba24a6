/** Entry of the main window. */
import { mount } from 'svelte';
import './styles/tokens.css';
import './styles/base.css';
import './styles/home.css';
import Home from './pages/Home.svelte';

mount(Home, { target: document.body });
