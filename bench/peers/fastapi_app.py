"""An equivalent todo service as its authors would write it with FastAPI and SQLAlchemy: the peer of
the benchmark. It works on the same database, with the same tokens and the same checks."""

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timezone
from hashlib import sha256
from typing import List, Optional

import jwt
from fastapi import Cookie, Depends, FastAPI, Header, HTTPException, Request, Response
from pydantic import BaseModel, constr
from sqlalchemy import Column, ForeignKey, Integer, BigInteger, String, create_engine, event, func
from sqlalchemy.orm import Session, declarative_base, joinedload, relationship, sessionmaker

URL = os.environ["DATABASE_URL"]
KEY = os.environ["SECRET_KEY"]
ID = Integer if URL.startswith("sqlite") else BigInteger

# A connection for each of the threads in which Starlette runs handlers, and some more.
options = {"connect_args": {"check_same_thread": False}} if URL.startswith("sqlite") else {"pool_size": 40, "max_overflow": 20}
engine = create_engine(URL, **options)
if URL.startswith("sqlite"):

    @event.listens_for(engine, "connect")
    def _same_durability(connection, _record):
        connection.execute("pragma synchronous = full")


Base = declarative_base()
Sessions = sessionmaker(bind=engine, autoflush=False, expire_on_commit=False)


class User(Base):
    __tablename__ = "users"
    id = Column(ID, primary_key=True)
    email = Column(String)
    fname = Column(String)
    lname = Column(String)
    admin_since = Column(String)
    version = Column(Integer)
    created_at = Column(String)
    updated_at = Column(String)


class SignIn(Base):
    __tablename__ = "sessions"
    id = Column(ID, primary_key=True)
    user_id = Column(ID, ForeignKey("users.id"))
    cookie_digest = Column(String)
    expires_at = Column(String)
    user = relationship(User)


class Todo(Base):
    __tablename__ = "todos"
    id = Column(ID, primary_key=True)
    owner_id = Column(ID, ForeignKey("users.id"))
    text = Column(String)
    text_key = Column(String)
    sort_key = Column(String)
    completed_at = Column(String)
    version = Column(Integer, default=1)
    created_at = Column(String)
    updated_at = Column(String)
    owner = relationship(User)

    @property
    def completed(self):
        return self.completed_at is not None


class UserOut(BaseModel):
    id: int
    email: str
    fname: str
    lname: str
    created_at: str
    updated_at: str

    class Config:
        orm_mode = True


class TodoOut(BaseModel):
    id: int
    text: str
    completed: bool
    owner_id: int
    created_at: str
    updated_at: str

    class Config:
        orm_mode = True


class TodoWithOwner(TodoOut):
    owner: UserOut


class TodoIn(BaseModel):
    text: constr(min_length=1, max_length=2000, strip_whitespace=True)


class TodoChange(BaseModel):
    completed: bool


app = FastAPI()
BASE = "/api/v1/todos"


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def database():
    with Sessions() as db:
        yield db


def caller(
    db: Session = Depends(database),
    authorization: Optional[str] = Header(None),
    session: Optional[str] = Cookie(None),
) -> User:
    query = db.query(SignIn).options(joinedload(SignIn.user)).filter(SignIn.expires_at > now())
    if authorization:
        try:
            claims = jwt.decode(authorization[7:], KEY, algorithms=["HS256"])
        except jwt.PyJWTError:
            raise HTTPException(401)
        found = query.filter(SignIn.user_id == int(claims["sub"]), SignIn.id == claims["sid"]).first()
    elif session:
        digest = urlsafe_b64encode(sha256(session.encode()).digest()).decode().rstrip("=")
        found = query.filter(SignIn.cookie_digest == digest).first()
    else:
        found = None
    if found is None:
        raise HTTPException(401)
    return found.user


@app.get(BASE, response_model=List[TodoOut])
def list_todos(
    response: Response,
    user: User = Depends(caller),
    db: Session = Depends(database),
    q: Optional[str] = None,
    offset: int = 0,
    cursor: Optional[str] = None,
    limit: int = 10,
):
    query = db.query(Todo).filter(Todo.owner_id == user.id)
    if q:
        query = query.filter(Todo.text_key.contains(q.lower(), autoescape=True))
    response.headers["X-Total-Count"] = str(query.with_entities(func.count(Todo.id)).scalar())
    if cursor is not None:
        place = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        query = query.filter(Todo.id > place["id"])
    return query.order_by(Todo.id).offset(offset).limit(limit).all()


@app.get(BASE + "/{id}", response_model=TodoWithOwner)
def get_todo(id: int, response: Response, user: User = Depends(caller), db: Session = Depends(database)):
    todo = (
        db.query(Todo).options(joinedload(Todo.owner)).filter(Todo.owner_id == user.id, Todo.id == id).first()
    )
    if todo is None:
        raise HTTPException(404)
    response.headers["ETag"] = f'"{todo.version}.{todo.owner.version}"'
    return todo


@app.post(BASE, response_model=TodoOut, status_code=201)
def create_todo(body: TodoIn, response: Response, user: User = Depends(caller), db: Session = Depends(database)):
    at, key = now(), body.text.lower()
    todo = Todo(owner_id=user.id, text=body.text, text_key=key, sort_key=key[:100], version=1, created_at=at, updated_at=at)
    db.add(todo)
    db.commit()
    response.headers["ETag"] = f'"{todo.version}.{user.version}"'
    return todo


@app.patch(BASE + "/{id}", response_model=TodoOut)
def change_todo(
    id: int,
    body: TodoChange,
    response: Response,
    if_match: Optional[str] = Header(None),
    user: User = Depends(caller),
    db: Session = Depends(database),
):
    todo = db.query(Todo).filter(Todo.owner_id == user.id, Todo.id == id).with_for_update().first()
    if todo is None:
        raise HTTPException(404)
    if if_match and int(if_match.strip('"').split(".")[0]) != todo.version:
        raise HTTPException(412)
    todo.completed_at = now() if body.completed else None
    todo.version += 1
    todo.updated_at = now()
    db.commit()
    response.headers["ETag"] = f'"{todo.version}.{user.version}"'
    return todo
