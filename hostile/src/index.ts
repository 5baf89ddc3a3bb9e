export { Matrix, type Attack, type Section } from './matrix.ts'
