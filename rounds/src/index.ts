export { misfortunes } from './misfortunes.ts'
