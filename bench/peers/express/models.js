// The tables of the service, as its authors would describe them to Sequelize.
import pg from 'pg'
import { DataTypes, Sequelize } from 'sequelize'
import * as sqlite3 from './sqlite.js'

// Ids are numbers in the JSON of the API.
pg.defaults.parseInt8 = true

const { DATABASE_URL = '' } = process.env
const common = { logging: false, define: { timestamps: false } }

export const sequelize = DATABASE_URL.startsWith('sqlite')
  ? new Sequelize({
      ...common,
      dialect: 'sqlite',
      dialectModule: sqlite3,
      storage: DATABASE_URL.replace(/^sqlite:\/\/\//, ''),
    })
  : new Sequelize(DATABASE_URL, { ...common, dialect: 'postgres', pool: { max: 10 } })

const { BIGINT, INTEGER, STRING, TEXT } = DataTypes
const ID = sequelize.getDialect() === 'sqlite' ? INTEGER : BIGINT
// Sequelize writes into the object that describes a column, so each column needs its own.
const key = () => ({ type: ID, primaryKey: true, autoIncrement: true })

export const User = sequelize.define(
  'User',
  {
    id: key(),
    email: STRING,
    fname: STRING,
    lname: STRING,
    admin_since: STRING,
    version: INTEGER,
    created_at: STRING,
    updated_at: STRING,
  },
  { tableName: 'users' },
)

export const Session = sequelize.define(
  'Session',
  { id: key(), user_id: ID, cookie_digest: STRING, expires_at: STRING },
  { tableName: 'sessions' },
)
Session.belongsTo(User, { as: 'user', foreignKey: 'user_id' })

export const Todo = sequelize.define(
  'Todo',
  {
    id: key(),
    owner_id: ID,
    text: TEXT,
    text_key: TEXT,
    sort_key: STRING,
    completed_at: STRING,
    version: { type: INTEGER, defaultValue: 1 },
    created_at: STRING,
    updated_at: STRING,
  },
  // Sequelize's optimistic locking: a save names the version that was read.
  { tableName: 'todos', version: 'version' },
)
Todo.belongsTo(User, { as: 'owner', foreignKey: 'owner_id' })
